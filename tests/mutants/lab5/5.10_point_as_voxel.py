"""the number of the point is taken for that of its voxel."""

from efficientlab.exercises.kernel_corner import tl, triton  # Triton itself, where it is installed


@triton.jit
def voxelize_kernel(x_ptr, voxel_ptr, weight_ptr, y_ptr, channels, BLOCK: tl.constexpr):
    """One program adds BLOCK weighted numbers of one point's row to its voxel's row."""
    point = tl.program_id(0)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = channel < channels
    voxel = point
    weight = tl.load(weight_ptr + point)
    row = tl.load(x_ptr + point * channels + channel, mask=inside, other=0.0)
    tl.atomic_add(y_ptr + voxel * channels + channel, weight * row, mask=inside)
