"""the powers are exchanged: 2 belongs to p, 4 to the heat."""

import torch
import torch.nn.functional as F
from torch import Tensor


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    p, centre = logits.sigmoid(), heat == 1
    found = -((1 - p) ** 2) * F.logsigmoid(logits)
    quiet = -((1 - heat) ** 2) * p**4 * F.logsigmoid(-logits)
    return torch.where(centre, found, quiet).sum() / centre.sum().clamp(min=1)
