"""the loss is right, but the logits or the heat that were given are changed: something is in place."""

import torch
import torch.nn.functional as F
from torch import Tensor


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """Penalty-reduced focal loss, one number; logits and heat (N, classes, X, Y), heat exactly 1 at centres."""
    p, centre = logits.sigmoid(), heat == 1
    found = -((1 - p) ** 2) * F.logsigmoid(logits)
    quiet = -((1 - heat) ** 4) * p**2 * F.logsigmoid(-logits)
    heat[centre] = 0
    return torch.where(centre, found, quiet).sum() / centre.sum().clamp(min=1)
