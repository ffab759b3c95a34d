"""the inverses are not transposed, though the rotation is: a row is multiplied by the transposed matrix, rows @ matrix.T."""

import torch
from torch import Tensor


def pixel_to_rig(
    pixels: Tensor, depth: Tensor, intrinsics: Tensor, rotation: Tensor, place: Tensor, augment: Tensor
) -> Tensor:
    rows = torch.column_stack([pixels, torch.ones_like(depth)])
    return (rows @ augment.inverse() @ intrinsics.inverse() * depth[:, None]) @ rotation.T + place
