"""the division is cut off towards 0: voxel −1 lands in coarse voxel 0."""

from torch import Tensor


def downsample(coords: Tensor, stride: int) -> Tensor:
    """The coarse voxels that hold an occupied one; coords (V, 4) → (V', 4), integers, ascending."""
    steps = coords.new_tensor([1, stride, stride, stride])
    return coords.div(steps, rounding_mode="trunc").unique(dim=0)
