"""double precision is written into the answer, and in single precision it fails: the identity has the type of w."""

import torch
from torch import Tensor


def edit_direction(w: Tensor, score: Tensor, ridge: float) -> Tensor:
    """A step of one standard deviation along the direction in which the score grows: (d,).

    Shapes: w (n, d), score (n,). Ridge regression on centred data, the penalty beside the mean of the squares.
    """
    centred = w - w.mean(0)
    covariance = centred.T @ centred / len(w) + ridge * torch.eye(
        w.shape[1], dtype=torch.float64, device=w.device
    )
    beta = torch.linalg.solve(covariance, centred.T @ (score - score.mean()) / len(w))
    unit = beta / beta.norm()
    return unit * (w @ unit).std()
