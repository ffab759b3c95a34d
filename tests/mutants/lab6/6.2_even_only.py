"""only voxels at multiples of the stride are kept: those between them vanish."""

from torch import Tensor


def downsample(coords: Tensor, stride: int) -> Tensor:
    """The coarse voxels that hold an occupied one; coords (V, 4) → (V', 4), integers, ascending."""
    steps = coords.new_tensor([1, stride, stride, stride])
    return coords[(coords[:, 1:] % stride == 0).all(1)].div(steps, rounding_mode="floor").unique(dim=0)
