"""the camera's place is subtracted; it has to be added."""

import torch
from torch import Tensor


def pixel_to_rig(
    pixels: Tensor, depth: Tensor, intrinsics: Tensor, rotation: Tensor, place: Tensor, augment: Tensor
) -> Tensor:
    ones = torch.ones_like(depth)
    seen = torch.column_stack([pixels, ones]) @ augment.inverse().T  # (P, 3), as the camera took them
    rays = seen @ intrinsics.inverse().T  # (P, 3), one metre of depth long
    return (depth[:, None] * rays) @ rotation.T - place
