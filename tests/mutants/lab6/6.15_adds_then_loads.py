"""y is loaded, added to and stored: two programs that do so at once lose a sum."""

from efficientlab.exercises.kernel_corner import tl, triton


@triton.jit
def gather_multiply_kernel(
    x_ptr, weight_ptr, offset_ptr, source_ptr, target_ptr, y_ptr, channels, outputs, BLOCK: tl.constexpr
):
    """One program adds BLOCK numbers of one pair's product to its output's row."""
    pair = tl.program_id(0)
    d = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = d < outputs
    offset = tl.load(offset_ptr + pair)
    source = tl.load(source_ptr + pair)
    target = tl.load(target_ptr + pair)
    y = y_ptr + target * outputs + d
    tl.atomic_add(y, tl.zeros((BLOCK,), tl.float32), mask=inside)
    for c in range(channels):
        value = tl.load(x_ptr + source * channels + c)
        row = tl.load(weight_ptr + offset * channels * outputs + c * outputs + d, mask=inside, other=0.0)
        tl.store(y, tl.load(y, mask=inside, other=0.0) + value * row, mask=inside)
