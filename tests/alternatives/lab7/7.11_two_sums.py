from torch import Tensor


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """Centres and the others apart, with the logarithms written out."""
    p = 1 / (1 + (-logits).exp())
    at = heat == 1
    found = ((1 - p[at]).pow(2) * p[at].log()).sum()
    quiet = ((1 - heat[~at]).pow(4) * p[~at].pow(2) * (1 - p[~at]).log()).sum()
    return -(found + quiet) / max(1, int(at.sum()))
