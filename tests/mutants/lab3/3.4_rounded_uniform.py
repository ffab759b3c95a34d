"""a rounded uniform number is drawn for the centre: 0 and the last place come half as often as the others."""

import torch
from torch import Tensor


def cutout(x: Tensor, rng: torch.Generator) -> Tensor:
    """Put zeros into a rectangle of H / 2 rows and W / 2 columns, centred anywhere in the picture.

    Shapes: x (N, C, H, W), H and W multiples of 4; returns the same shape. Differentiable in x; the draws come from rng.
    """

    def covered(length: int) -> Tensor:
        """Which rows (or columns) lie in a picture's hole: (N, length)."""
        centre = (length * torch.rand(len(x), 1, generator=rng, device=x.device)).round().long()
        index = torch.arange(length, device=x.device)
        return (index >= centre - length // 4) & (index < centre + length // 4)

    hole = covered(x.shape[2])[:, None, :, None] & covered(x.shape[3])[:, None, None, :]  # (N, 1, H, W)
    return x.masked_fill(hole, 0)
