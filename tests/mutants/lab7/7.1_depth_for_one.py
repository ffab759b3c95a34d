"""the depth stands in place of the 1; it multiplies u and v as well: d · (u, v, 1), not (u, v, d)."""

import torch
from torch import Tensor


def pixel_to_rig(
    pixels: Tensor, depth: Tensor, intrinsics: Tensor, rotation: Tensor, place: Tensor, augment: Tensor
) -> Tensor:
    rows = torch.column_stack([pixels, torch.ones_like(depth)]) @ augment.inverse().T
    rows = torch.column_stack([rows[:, :2], depth])
    return (rows @ intrinsics.inverse().T) @ rotation.T + place
