import torch
from torch import Tensor


def pixel_to_rig(
    pixels: Tensor, depth: Tensor, intrinsics: Tensor, rotation: Tensor, place: Tensor, augment: Tensor
) -> Tensor:
    """The depth before both inverses, on all three numbers of a pixel: a factor commutes with matrices."""
    scaled = torch.column_stack([pixels, torch.ones_like(depth)]) * depth[:, None]
    return scaled @ (rotation @ torch.linalg.inv(augment @ intrinsics)).T + place
