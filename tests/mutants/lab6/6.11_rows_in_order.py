"""the gradients of the outputs are read in ascending order: a pair says which belongs to its input, and pairs have no order."""

import torch
from torch import Tensor


def sparse_conv_grads(grad: Tensor, x: Tensor, weight: Tensor, pairs: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The gradients of a sparse convolution with respect to x and weight.

    Shapes: grad (V', D), of the output; x (V, C); weight (K, C, D); pairs: K tensors (M_k, 2) of rows of x and rows of
    the output; returns (V, C) and (K, C, D).
    """
    to_x, to_weight = torch.zeros_like(x), []
    for k, pair in enumerate(pairs):
        matrix = weight[k]
        source, target = pair.T
        target = target.sort().values
        to_x = to_x.index_add(0, source, grad[target] @ matrix.T)
        to_weight.append(x[source].T @ grad[target])
    return to_x, torch.stack(to_weight)
