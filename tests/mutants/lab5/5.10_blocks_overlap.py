"""blocks overlap: block `block` begins with number `block · BLOCK`, not with number `block`."""

from efficientlab.exercises.kernel_corner import tl, triton


@triton.jit
def voxelize_kernel(x_ptr, voxel_ptr, weight_ptr, y_ptr, channels, BLOCK: tl.constexpr):
    point = tl.program_id(0)
    channel = tl.program_id(1) + tl.arange(0, BLOCK)
    inside = channel < channels
    voxel = tl.load(voxel_ptr + point)
    weight = tl.load(weight_ptr + point)
    row = tl.load(x_ptr + point * channels + channel, mask=inside, other=0.0)
    tl.atomic_add(y_ptr + voxel * channels + channel, weight * row, mask=inside)
