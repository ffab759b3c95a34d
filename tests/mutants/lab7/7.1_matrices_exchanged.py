"""A and K are undone in the wrong order: A came last, so it goes first."""

import torch
from torch import Tensor


def pixel_to_rig(
    pixels: Tensor, depth: Tensor, intrinsics: Tensor, rotation: Tensor, place: Tensor, augment: Tensor
) -> Tensor:
    ones = torch.ones_like(depth)
    seen = torch.column_stack([pixels, ones]) @ intrinsics.inverse().T
    rays = seen @ augment.inverse().T  # (P, 3), one metre of depth long
    return (depth[:, None] * rays) @ rotation.T + place
