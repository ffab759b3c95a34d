"""Scores refuse what is not finite: the largest of NaNs is class 0, and class 0 is right now and then."""

from __future__ import annotations

from torch import Tensor


def finite(values: Tensor, what: str) -> Tensor:
    """The values, if all of them are finite.

    Raises:
        ValueError: NaN or an infinity is among them; `what` names them in the sentence.
    """
    broken = int((~values.isfinite()).sum())
    if broken:
        raise ValueError(
            f"{broken:,} of {values.numel():,} {what} are not finite: the network has diverged, or its input is NaN."
        )
    return values


def labels_within(labels: Tensor, count: int, what: str) -> None:
    """Check class numbers.

    Raises:
        ValueError: one is not in 0 … count − 1, or they are no whole numbers.
    """
    if labels.is_floating_point() or labels.is_complex():
        raise ValueError(f"{what} must be whole numbers, got {labels.dtype}.")
    labels = labels.long()
    if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < count:
        raise ValueError(f"{what} must be 0 to {count - 1}, got {int(labels.min())} to {int(labels.max())}.")
