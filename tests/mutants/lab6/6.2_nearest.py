"""coordinates go to the nearest multiple of the stride, not to the coarse voxel that holds them."""

from torch import Tensor


def downsample(coords: Tensor, stride: int) -> Tensor:
    """The coarse voxels that hold an occupied one; coords (V, 4) → (V', 4), integers, ascending."""
    steps = coords.new_tensor([1, stride, stride, stride])
    return (coords / steps).round().long().unique(dim=0)
