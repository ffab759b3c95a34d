"""neighbours of a centre are punished like all others: (1 − t)⁴ is missing."""

import torch
import torch.nn.functional as F
from torch import Tensor


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    p, centre = logits.sigmoid(), heat == 1
    found = -((1 - p) ** 2) * F.logsigmoid(logits)
    quiet = -(p**2) * F.logsigmoid(-logits)
    return torch.where(centre, found, quiet).sum() / centre.sum().clamp(min=1)
