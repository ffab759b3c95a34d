import torch.nn.functional as F
from torch import Tensor


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """Centres and the others apart, and softplus for the logarithms: −log p(x) = softplus(−x)."""
    at = heat == 1
    x, y = logits[at], logits[~at]
    found = (x.neg().sigmoid().pow(2) * F.softplus(-x)).sum()
    quiet = ((1 - heat[~at]).pow(4) * y.sigmoid().pow(2) * F.softplus(y)).sum()
    return (found + quiet) / max(1, int(at.sum()))
