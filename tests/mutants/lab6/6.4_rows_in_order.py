"""the products are added to the outputs in ascending order: a pair says which, and pairs have no order."""

from torch import Tensor


def sparse_conv(x: Tensor, weight: Tensor, pairs: list[Tensor], outputs: int) -> Tensor:
    """Convolve the features of occupied voxels.

    Shapes: x (V, C); weight (K, C, D); pairs: K tensors (M_k, 2) of rows of x and rows of the result; returns
    (outputs, D), differentiable in x and weight.
    """
    y = x.new_zeros(outputs, weight.shape[2])
    for matrix, pair in zip(weight, pairs, strict=True):
        source, target = pair.T
        y = y.index_add(0, target.sort().values, x[source] @ matrix)
    return y
