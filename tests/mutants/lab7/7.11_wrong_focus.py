"""the focus is turned round: cells that are right already weigh most."""

import torch
import torch.nn.functional as F
from torch import Tensor


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    p, centre = logits.sigmoid(), heat == 1
    found = -(p**2) * F.logsigmoid(logits)
    quiet = -((1 - heat) ** 4) * (1 - p) ** 2 * F.logsigmoid(-logits)
    return torch.where(centre, found, quiet).sum() / centre.sum().clamp(min=1)
