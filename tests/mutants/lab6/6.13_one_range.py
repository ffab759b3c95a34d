"""the first up + skip rows are taken: those of the skip begin after the widest u."""

from torch import Tensor


def slice_joined(weight: Tensor, up: int, skip: int, up_max: int, out: int) -> Tensor:
    """The weights that a narrow network uses after a concatenation.

    Shapes: weight (K, up_max + the widest skip, D); returns (K, up + skip, out), a slice: its gradient reaches weight.
    """
    return weight[:, : up + skip, :out]
