"""every cell with any heat is taken for a centre; only 1 is one."""

import torch
import torch.nn.functional as F
from torch import Tensor


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    p = logits.sigmoid()
    found = -((1 - p) ** 2) * F.logsigmoid(logits)
    quiet = -((1 - heat) ** 4) * p**2 * F.logsigmoid(-logits)
    return torch.where(heat > 0, found, quiet).sum() / (heat == 1).sum().clamp(min=1)
