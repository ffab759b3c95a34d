"""what y holds is added to the sums: y holds nothing yet, begin with zeros and store."""

from efficientlab.exercises.kernel_corner import tl, triton


@triton.jit
def bev_pool_kernel(depth_ptr, features_ptr, pixel_ptr, starts_ptr, y_ptr, channels, BLOCK: tl.constexpr):
    """One program sums BLOCK channels of one cell's points."""
    cell = tl.program_id(0)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = channel < channels
    total = tl.zeros((BLOCK,), tl.float32)
    for p in range(tl.load(starts_ptr + cell), tl.load(starts_ptr + cell + 1)):
        pixel = tl.load(pixel_ptr + p)
        row = tl.load(features_ptr + pixel * channels + channel, mask=inside, other=0.0)
        total += tl.load(depth_ptr + p) * row
    tl.atomic_add(y_ptr + cell * channels + channel, total, mask=inside)
