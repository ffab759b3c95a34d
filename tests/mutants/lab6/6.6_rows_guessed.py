"""the number of fine voxels is guessed from the pairs; the skip says it, and there are voxels without a pair."""

import torch
from torch import Tensor


def up_and_join(x: Tensor, skip: Tensor, weight: Tensor, pairs: list[Tensor]) -> Tensor:
    """A transposed convolution back to the voxels of the skip, with the skip beside it.

    Shapes: x (V', C), coarse; skip (V, S), fine; weight (K, C, D); pairs: K tensors (M_k, 2), fine row and coarse row;
    returns (V, D + S).
    """
    u = x.new_zeros(int(torch.cat(pairs)[:, 0].max()) + 1, weight.shape[2])
    for matrix, pair in zip(weight, pairs, strict=True):
        fine, coarse = pair.T
        u = u.index_add(0, fine, x[coarse] @ matrix)
    return torch.cat([u, skip], 1)  # (V, D + S)
