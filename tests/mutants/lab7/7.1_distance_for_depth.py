"""the depth is taken for the distance: the ray is made one metre long, not one metre of depth."""

import torch
from torch import Tensor


def pixel_to_rig(
    pixels: Tensor, depth: Tensor, intrinsics: Tensor, rotation: Tensor, place: Tensor, augment: Tensor
) -> Tensor:
    ones = torch.ones_like(depth)
    seen = torch.column_stack([pixels, ones]) @ augment.inverse().T  # (P, 3), as the camera took them
    rays = torch.nn.functional.normalize(seen @ intrinsics.inverse().T, dim=1)
    return (depth[:, None] * rays) @ rotation.T + place
