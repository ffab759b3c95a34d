"""1 − sigmoid(x) is the sigmoid of −x, not of 1 − x."""

import torch
import torch.nn.functional as F
from torch import Tensor


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    p, centre = logits.sigmoid(), heat == 1
    found = -((1 - p) ** 2) * F.logsigmoid(logits)
    quiet = -((1 - heat) ** 4) * p**2 * F.logsigmoid(1 - logits)
    return torch.where(centre, found, quiet).sum() / centre.sum().clamp(min=1)
