"""the direction is right but the codes or the scores that were given are changed: something is in place."""

import torch
from torch import Tensor


def edit_direction(w: Tensor, score: Tensor, ridge: float) -> Tensor:
    """A step of one standard deviation along the direction in which the score grows: (d,).

    Shapes: w (n, d), score (n,). Ridge regression on centred data, the penalty beside the mean of the squares.
    """
    centred = w - w.mean(0)
    score -= score.mean()
    covariance = centred.T @ centred / len(w) + ridge * torch.eye(w.shape[1], dtype=w.dtype, device=w.device)
    beta = torch.linalg.solve(covariance, centred.T @ (score - score.mean()) / len(w))
    unit = beta / beta.norm()
    return unit * (w @ unit).std()
