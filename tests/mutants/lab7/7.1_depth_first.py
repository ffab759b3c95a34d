"""the depth is multiplied in before the shift of the augmentation is undone, and does not multiply that shift."""

import torch
from torch import Tensor


def pixel_to_rig(
    pixels: Tensor, depth: Tensor, intrinsics: Tensor, rotation: Tensor, place: Tensor, augment: Tensor
) -> Tensor:
    ones = torch.ones_like(depth)
    scaled = torch.column_stack([pixels * depth[:, None], depth])
    scaled[:, :2] = (scaled[:, :2] - augment[:2, 2]) @ augment[:2, :2].inverse().T
    return (scaled @ intrinsics.inverse().T) @ rotation.T + place
