"""the features are right but what was given is changed, the list of pairs or a tensor: the way down needs them, too."""

import torch
from torch import Tensor


def up_and_join(x: Tensor, skip: Tensor, weight: Tensor, pairs: list[Tensor]) -> Tensor:
    """A transposed convolution back to the voxels of the skip, with the skip beside it.

    Shapes: x (V', C), coarse; skip (V, S), fine; weight (K, C, D); pairs: K tensors (M_k, 2), fine row and coarse row;
    returns (V, D + S).
    """
    for k, pair in enumerate(pairs):
        pairs[k] = pair.flip(1)
    u = x.new_zeros(len(skip), weight.shape[2])
    for matrix, pair in zip(weight, pairs, strict=True):
        coarse, fine = pair.T
        u = u.index_add(0, fine, x[coarse] @ matrix)
    return torch.cat([u, skip], 1)  # (V, D + S)
