"""Writes into existing memory that no operator made which the counter saw: another thread's, for example."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterable
from typing import Any

from torch import Tensor

from efficientlab.counters.traffic import parts_of


class Writes:
    """Compares each tensor's version counter, which every write in place raises, with the writes that were seen.

    A dispatch mode sees its own thread alone. Not noticed are writes that raise no version either: raw kernels'
    and NumPy's.
    """

    def __init__(self) -> None:
        self._noted: dict[int, tuple[weakref.ref[Tensor], int, int]] = {}  # version, and writes seen by then
        self._seen: Counter[int] = Counter()  # writes into each storage

    def record(self, tensors: Iterable[Tensor], modified: Iterable[Tensor]) -> None:
        """An operator took or made `tensors`, and wrote into `modified` of them.

        A view that it returns gets its version, its base's, only after the dispatch mode has seen it.
        """
        written = {id(x) for x in modified}
        for x in modified:
            self._seen.update({part.untyped_storage()._cdata for part in parts_of(x)})
        for x in tensors:
            self.note(x, raised_soon=id(x) in written)

    def note(self, x: Tensor, raised_soon: bool = False) -> None:
        """`raised_soon`: an operator's own write raises the version after the dispatch mode has seen it."""
        if not x.is_inference() and len(parts_of(x)) == 1:
            key = id(x)
            reference = weakref.ref(x, lambda _: self._noted.pop(key, None))
            self._noted[key] = reference, x._version + raised_soon, self._writes(x)

    def unseen(self, tensors: Iterable[Tensor] | None = None) -> bool:
        """Whether one of `tensors`, or of all that were noted, was written to by somebody unseen. Says so once."""
        found = False
        for x in self._alive() if tensors is None else tensors:
            reference, version, writes = self._noted.get(id(x), (None, 0, 0))
            if reference is not None and reference() is x:
                found |= x._version > version and self._writes(x) == writes
                self.note(x)
        return found

    def _alive(self) -> list[Tensor]:
        return [x for reference, *_ in list(self._noted.values()) if (x := reference()) is not None]

    def _writes(self, x: Any) -> int:
        return self._seen[x.untyped_storage()._cdata]
