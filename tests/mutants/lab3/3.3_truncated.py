"""`long()` rounds towards zero: a shift of 0 comes twice as often as any other."""

import torch
from torch import Tensor


def translation(x: Tensor, rng: torch.Generator) -> Tensor:
    """Move each picture by up to an eighth of its rows and of its columns, with zeros from outside.

    Shapes: x (N, C, H, W), H and W multiples of 8; returns the same shape. Differentiable in x; the draws come from rng.
    """

    def read(length: int) -> tuple[Tensor, Tensor]:
        """Where each row (or column) is read, and whether that is inside: both (N, length)."""
        reach = length // 8
        shift = ((2 * torch.rand(len(x), 1, generator=rng, device=x.device) - 1) * (reach + 1)).long()
        index = torch.arange(length, device=x.device) + shift
        return index.clamp(0, length - 1), (index >= 0) & (index < length)

    (rows, rows_inside), (columns, columns_inside) = read(x.shape[2]), read(x.shape[3])
    picture = torch.arange(len(x), device=x.device)[:, None, None]  # (N, 1, 1)
    moved = x.movedim(1, 3)[picture, rows[:, :, None], columns[:, None, :]]  # (N, H, W, C)
    inside = rows_inside[:, :, None] & columns_inside[:, None, :]  # (N, H, W)
    return (moved * inside[..., None]).movedim(3, 1)  # (N, C, H, W)
