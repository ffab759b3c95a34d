"""A detector of augmentations: a classifier that tells augmented pictures from untouched ones."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from efficientlab.models.gan.dcgan import Discriminator
from efficientlab.seeding import seeded
from efficientlab.training.gan.few_shot import Transform


def fit_detector(pictures: Tensor, transform: Transform, *, steps: int, seed: int = 0) -> Discriminator:
    """Train a detector on real pictures: half of each batch as they are, half augmented.

    Shapes: pictures (n, C, 32, 32), on the device to train on; the detector maps (N, C, 32, 32) to scores (N,),
    positive for "augmented". Batches of 64, Adam, a seed for all draws.

    Raises:
        ValueError: no pictures.
    """
    if not len(pictures):
        raise ValueError("there are no pictures to train a detector with")
    rng = torch.Generator(pictures.device).manual_seed(seed)
    with seeded(seed):
        detector = Discriminator(pictures.shape[1]).to(pictures.device)
    optimiser = torch.optim.Adam(detector.parameters(), lr=1e-3, fused=True)
    half = 32
    labels = (torch.arange(2 * half, device=pictures.device) >= half).float()  # 0: as it is, 1: augmented
    for _ in range(steps):
        index = torch.randint(len(pictures), (2 * half,), generator=rng, device=pictures.device)
        clean, other = pictures[index].chunk(2)
        scores = detector(torch.cat([clean, transform(other, rng)]))
        loss = F.binary_cross_entropy_with_logits(scores, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return detector.eval().requires_grad_(False)
