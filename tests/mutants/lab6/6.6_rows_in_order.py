"""the products are added to the fine rows in ascending order: a pair says which, and pairs have no order."""

import torch
from torch import Tensor


def up_and_join(x: Tensor, skip: Tensor, weight: Tensor, pairs: list[Tensor]) -> Tensor:
    """A transposed convolution back to the voxels of the skip, with the skip beside it.

    Shapes: x (V', C), coarse; skip (V, S), fine; weight (K, C, D); pairs: K tensors (M_k, 2), fine row and coarse row;
    returns (V, D + S).
    """
    u = x.new_zeros(len(skip), weight.shape[2])
    for matrix, pair in zip(weight, pairs, strict=True):
        fine, coarse = pair.T
        u = u.index_add(0, fine.sort().values, x[coarse] @ matrix)
    return torch.cat([u, skip], 1)  # (V, D + S)
