"""the sum is divided by all heat; only cells of exactly 1 are counted."""

import torch
import torch.nn.functional as F
from torch import Tensor


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    p = logits.sigmoid()
    found = -((1 - p) ** 2) * F.logsigmoid(logits)
    quiet = -((1 - heat) ** 4) * p**2 * F.logsigmoid(-logits)
    return torch.where(heat == 1, found, quiet).sum() / heat.sum().clamp(min=1)
