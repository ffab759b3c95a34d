"""Peak of the memory that a run allocates, followed storage by storage."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .traffic import parts_of, storages_of


class LiveStorages:
    """Bytes of the storages that were allocated by the operators seen so far and are still alive.

    A storage counts from the operator that returns it until it is freed, whoever holds it: Python, a view,
    or the autograd graph. What existed before (parameters, buffers, inputs) does not count; neither does
    scratch memory inside an operator, which no operator returns. Works on meta tensors too, whose
    storages have a size but no memory.
    """

    def __init__(self) -> None:
        self.now = 0
        self._sizes: dict[int, int] = {}
        self._references: dict[int, weakref.ref[Any]] = {}

    def allocate(self, results: Iterable[Tensor], inputs: Iterable[Tensor]) -> None:
        """Account for an operator's results, except where they share memory with its inputs."""
        known = {storage for x in inputs for storage in storages_of(x)}
        for result in results:
            for part in parts_of(result):
                storage = part.untyped_storage()
                if storage._cdata in self._sizes or storage._cdata not in known:
                    self._update(storage)

    def forget(self, x: Tensor) -> None:
        """Take the storages of x out of the account though they live on (a parameter's gradient)."""
        for storage in storages_of(x):
            self._free(storage)

    def _update(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        self.now += size - self._sizes.get(key, 0)  # in-place operators may have resized it
        if key not in self._sizes:
            self._references[key] = weakref.ref(storage, partial(self._free_reference, key))
        self._sizes[key] = size

    def _free_reference(self, key: int, reference: Any) -> None:
        self._free(key)

    def _free(self, key: int) -> None:
        self.now -= self._sizes.pop(key, 0)
        self._references.pop(key, None)
