"""Consistency: a sub-generator is asked to paint what the full generator paints of the same latent."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from efficientlab.models.gan.anycost.generator import AnycostGenerator
from efficientlab.training.gan.anycost.loop import Pictures, average_down
from efficientlab.training.gan.distances import Maps, perceptual_distance


class Consistency:
    """Σ over the judged sizes of MSE + perceptual distance to a frozen teacher's final picture, reduced to that size.

    Not to the teacher's own pictures of that size: those of a generator that was trained at one size are no pictures.

    Args:
        teacher: frozen here.
        features: in which the perceptual distance is measured.
        weight: of the sum.
    """

    def __init__(
        self, teacher: AnycostGenerator, features: Maps, weight: float, sizes: tuple[int, ...]
    ) -> None:
        self.teacher, self.features = teacher.eval().requires_grad_(False), features
        self.weight, self.sizes = weight, sizes

    def __call__(self, z: Tensor, pictures: Pictures) -> Tensor:
        """The loss of pictures, size → (N, 3, size, size), that were made of z (N, 64); a scalar, weight included."""
        with torch.no_grad():
            wanted = average_down(self.teacher(z), self.sizes)
        terms = [
            F.mse_loss(pictures[s], wanted[s])
            + perceptual_distance(pictures[s], wanted[s], self.features).mean()
            for s in self.sizes
        ]
        return self.weight * torch.stack(terms).sum()
