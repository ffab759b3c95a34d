"""R K⁻¹ A⁻¹ acts on columns; from the right of a row it is transposed: rows @ matrix.T."""

import torch
from torch import Tensor


def pixel_to_rig(
    pixels: Tensor, depth: Tensor, intrinsics: Tensor, rotation: Tensor, place: Tensor, augment: Tensor
) -> Tensor:
    rows = torch.column_stack([pixels, torch.ones_like(depth)]) * depth[:, None]
    return rows @ (rotation @ intrinsics.inverse() @ augment.inverse()) + place
