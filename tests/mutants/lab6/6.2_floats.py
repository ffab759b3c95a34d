"""the coarse coordinates are floats: a voxel is a row of integers."""

from torch import Tensor


def downsample(coords: Tensor, stride: int) -> Tensor:
    """The coarse voxels that hold an occupied one; coords (V, 4) → (V', 4), integers, ascending."""
    steps = coords.new_tensor([1, stride, stride, stride])
    return (coords / steps).floor().unique(dim=0)
