from efficientlab.exercises.kernel_corner import tl, triton


@triton.jit
def voxelize_kernel(x_ptr, voxel_ptr, weight_ptr, y_ptr, channels, BLOCK: tl.constexpr):
    p = tl.program_id(0)
    offsets = tl.arange(0, BLOCK) + BLOCK * tl.program_id(1)
    valid = offsets < channels
    values = tl.load(x_ptr + p * channels + offsets, mask=valid, other=0.0) * tl.load(weight_ptr + p)
    row = y_ptr + tl.load(voxel_ptr + p) * channels
    tl.atomic_add(row + offsets, values, mask=valid)
