"""each street is divided by its own centres and then averaged; all centres of the batch count together."""

import torch
import torch.nn.functional as F
from torch import Tensor


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    p, centre = logits.sigmoid(), heat == 1
    found = -((1 - p) ** 2) * F.logsigmoid(logits)
    quiet = -((1 - heat) ** 4) * p**2 * F.logsigmoid(-logits)
    each = torch.where(centre, found, quiet).flatten(1).sum(1)
    return (each / centre.flatten(1).sum(1).clamp(min=1)).mean()
