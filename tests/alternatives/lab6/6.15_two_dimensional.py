from efficientlab.exercises.kernel_corner import tl, triton


@triton.jit
def gather_multiply_kernel(
    x_ptr, weight_ptr, offset_ptr, source_ptr, target_ptr, y_ptr, channels, outputs, BLOCK: tl.constexpr
):
    p, block = tl.program_id(0), tl.program_id(1)
    columns = tl.arange(0, BLOCK) + block * BLOCK
    valid = columns < outputs
    row = x_ptr + tl.load(source_ptr + p) * channels
    matrix = weight_ptr + tl.load(offset_ptr + p) * (channels * outputs) + columns
    out = y_ptr + tl.load(target_ptr + p) * outputs + columns
    product = tl.load(row) * tl.load(matrix, mask=valid, other=0.0)
    for c in range(1, channels):
        product += tl.load(row + c) * tl.load(matrix + c * outputs, mask=valid, other=0.0)
    tl.atomic_add(out, product, mask=valid)
