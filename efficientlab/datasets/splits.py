"""The parts of a data set: one to learn from, one to choose by, one to report on once."""

from __future__ import annotations

from collections.abc import Iterable

SPLITS = ("train", "val", "test")


def check_split(split: str, splits: Iterable[str] = SPLITS) -> str:
    """The split, if there is one of this name.

    Raises:
        ValueError: there is none.
    """
    if split not in splits:
        raise ValueError(f"split must be one of {', '.join(splits)}; got {split!r}.")
    return split
