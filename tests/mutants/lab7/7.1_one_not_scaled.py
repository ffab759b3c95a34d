"""the depth multiplies u and v, and the 1 stays 1; all three belong to it: d · (u, v, 1)."""

import torch
from torch import Tensor


def pixel_to_rig(
    pixels: Tensor, depth: Tensor, intrinsics: Tensor, rotation: Tensor, place: Tensor, augment: Tensor
) -> Tensor:
    rows = torch.column_stack([pixels * depth[:, None], torch.ones_like(depth)])
    return rows @ augment.inverse().T @ intrinsics.inverse().T @ rotation.T + place
