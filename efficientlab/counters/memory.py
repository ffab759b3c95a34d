"""The memory of a run, storage by storage: how much is alive, and who filled it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from efficientlab.counters.traffic import Access, parts_of, storages_of


class Storages:
    """Every storage that the operators seen so far have touched, until it is freed.

    `allocated` is the number of bytes that these operators allocated and that are still alive, whoever holds
    them: Python, a view, or the autograd graph. What existed before (parameters, buffers, inputs) does not
    count, nor does scratch memory inside an operator, which no operator returns. Works on meta tensors too:
    their storages have a size, though no memory.
    """

    def __init__(self) -> None:
        self.allocated = 0
        self._sizes: dict[int, int | None] = {}  # None for what existed before
        self._references: dict[int, weakref.ref[Any]] = {}
        self._blank: set[int] = set()  # uninitialised, and not written by any operator since
        self._arrays: list[tuple[int, int]] = []  # where the memory of NumPy's arrays begins and ends

    def record(self, touched: Access) -> None:
        for x in touched.inputs:
            self._track(x, allocated=False)
        for x in touched.fresh:
            self._track(x, allocated=True)
            if not touched.filled:
                self._blank.update(storages_of(x))
        for x in touched.modified:
            self._track(x, allocated=True)  # it may have been resized
            self._blank.difference_update(storages_of(x))

    def expect(self, x: Tensor) -> None:
        """A tensor that was made before and will turn up."""
        self._track(x, allocated=False)

    def expect_array(self, x: np.ndarray) -> None:
        """An array that was made before: torch.from_numpy gives its memory a storage."""
        while isinstance(x.base, np.ndarray):
            x = x.base  # which has all of the memory
        start = x.__array_interface__["data"][0]
        self._arrays.append((start, start + x.nbytes))

    def known(self, x: Tensor) -> bool:
        """Whether an operator has touched the memory of x, or an array that was expected has it."""
        return all(
            part.untyped_storage()._cdata in self._sizes
            or any(start <= part.data_ptr() < end for start, end in self._arrays)
            for part in parts_of(x)
        )

    def blank(self, x: Tensor) -> bool:
        """Whether x is uninitialised memory, as far as operators can tell. Says so once."""
        if not self._blank or not x.numel() or self._blank.isdisjoint(storages_of(x)):
            return False
        self._blank.difference_update(storages_of(x))
        return True

    def release(self, x: Tensor | None) -> None:
        """Take x out of the sum though it lives on: the gradient of a leaf, None where it is zero."""
        for storage in storages_of(x) if x is not None else ():
            if storage in self._sizes:
                self.allocated -= self._sizes[storage] or 0
                self._sizes[storage] = None

    def _track(self, x: Tensor, allocated: bool) -> None:
        for part in parts_of(x):
            storage = part.untyped_storage()
            key = storage._cdata
            if key not in self._sizes:
                self._references[key] = weakref.ref(storage, partial(self._free, key))
                self._sizes[key] = 0 if allocated else None
            before, now = self._sizes[key], storage.nbytes()
            if allocated and before is not None:
                self.allocated += now - before
                self._sizes[key] = now

    def _free(self, key: int, reference: Any) -> None:
        self.allocated -= self._sizes.pop(key, None) or 0
        self._references.pop(key, None)
        self._blank.discard(key)


def is_frozen() -> bool:
    """Whether somebody has called `gc.freeze`: Python 3.12 sets a few hundred objects apart from its start."""
    return gc.get_freeze_count() > 1_000


@contextmanager
def new_objects_apart() -> Iterator[None]:
    """Sets the objects that exist now apart, so that `is_new` can tell. Costs the same however many there are."""
    frozen_by_others = is_frozen()
    gc.freeze()
    try:
        yield
    finally:
        if not frozen_by_others:
            gc.unfreeze()


def is_new(x: Tensor) -> bool:
    """Whether the tensor was made inside `new_objects_apart`, by an operator or by anyone else."""
    return any(other is x for other in gc.get_objects())
