"""Watch what an interpreted kernel reads and writes, and keep it from memory that is not its own.

On a GPU a load without a mask reads what happens to lie there, a masked load without `other=` gives anything, and two
programs that load, add and store lose a sum. Triton's interpreter hides all three: it runs one program after the other
in ordinary memory. So its loads and stores are looked at before they happen. Where kernels are compiled, there is
nothing to watch, and a watch reports nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor


class Watch:
    """What one launch did: whether it `read_outside` or `wrote_outside` of the tensors, `read_target` or `wrote` to it,
    and whether it read the target or added to it where it had not written: `took_unwritten`.
    """

    def __init__(self, tensors: Sequence[Tensor], target: Tensor, rooms: Sequence[Tensor]) -> None:
        self.read_outside = self.read_target = self.took_unwritten = False
        self.wrote_outside = self.wrote = False
        self._tensors, self._target = [_span(t) for t in tensors], _span(target)
        self._unwritten, self._element = np.ones(target.numel(), dtype=bool), target.element_size()
        self._rooms = [
            _span(t) for t in rooms
        ]  # memory that may be touched: tensors and the margins around them

    def load(self, pointers: Any, mask: Any, itemsize: int) -> np.ndarray:
        """The mask of the loads that may happen."""
        at, wanted = np.asarray(pointers), np.asarray(mask, dtype=bool)
        self.read_outside |= bool((wanted & ~_within(at, itemsize, self._tensors)).any())
        places = self._places(at, wanted, itemsize)
        self.read_target |= len(places) > 0
        self.took_unwritten |= bool(self._unwritten[places].any())
        return wanted & _within(at, itemsize, self._rooms)

    def store(self, pointers: Any, mask: Any, itemsize: int) -> np.ndarray:
        """The mask of the stores that may happen."""
        at, wanted = np.asarray(pointers), np.asarray(mask, dtype=bool)
        places = self._places(at, wanted, itemsize)
        self._unwritten[places] = False
        self.wrote |= len(places) > 0
        self.wrote_outside |= bool((wanted & ~_within(at, itemsize, self._tensors)).any())
        return wanted & _within(at, itemsize, self._rooms)

    def _places(self, at: np.ndarray, wanted: np.ndarray, itemsize: int) -> np.ndarray:
        """The elements of the target that these pointers lead to."""
        at, inside = np.broadcast_arrays(at, wanted & _within(at, itemsize, [self._target]))
        return (at[inside].astype(np.int64) - self._target[0]) // self._element

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Look at every load and store of Triton's interpreter while this is open."""
        from triton.runtime import interpreter

        native, builder = interpreter._interpreter, interpreter.InterpreterBuilder
        masked_load, ours = builder.create_masked_load, interpreter.interpreter_builder
        options = ours.options

        class Native:
            """The interpreter's memory operations, each behind the watch."""

            def __getattr__(_, name: str) -> Any:
                return getattr(native, name)

            def load(_, pointers: Any, mask: Any, other: Any, dtype: Any) -> Any:
                return native.load(
                    pointers, self.load(pointers, mask, np.dtype(dtype).itemsize), other, dtype
                )

            def store(_, pointers: Any, value: Any, mask: Any) -> Any:
                return native.store(pointers, value, self.store(pointers, mask, np.asarray(value).itemsize))

            def atomic_rmw(_, kind: Any, pointers: Any, value: Any, mask: Any, order: Any) -> Any:
                itemsize = np.asarray(value).itemsize
                places = self._places(np.asarray(pointers), np.asarray(mask, dtype=bool), itemsize)
                self.took_unwritten |= bool(self._unwritten[places].any())
                allowed = self.store(pointers, mask, itemsize)
                return native.atomic_rmw(kind, pointers, value, allowed, order)

            def atomic_cas(_, pointers: Any, compared: Any, value: Any, order: Any) -> Any:
                everywhere = np.ones_like(np.asarray(pointers), dtype=bool)
                if not self.store(pointers, everywhere, np.asarray(value).itemsize).all():
                    raise IndexError("the kernel reaches beyond its tensors")
                return native.atomic_cas(pointers, compared, value, order)

        def undefined_where_masked(builder: Any, pointers: Any, mask: Any, other: Any, *options: Any) -> Any:
            """A masked load without `other=` gives NaN, or the largest integer, where the mask is false."""
            if other is None:
                element = pointers.get_element_ty()
                dtype = interpreter._get_np_dtype(element)
                anything = np.nan if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max
                fill = np.full(np.shape(pointers.data), anything, dtype)
                other = interpreter.TensorHandle(fill, element)
            return masked_load(builder, pointers, mask, other, *options)

        interpreter._interpreter, builder.create_masked_load = Native(), undefined_where_masked
        # as on a GPU, no sum of integers is tested for overflow: that took more than half of the interpreter's time
        ours.options = replace(options, sanitize_overflow=False)
        try:
            yield
        finally:
            interpreter._interpreter, builder.create_masked_load = native, masked_load
            ours.options = options


def _span(tensor: Tensor) -> tuple[int, int]:
    start = tensor.data_ptr()
    return start, start + tensor.numel() * tensor.element_size()


def _within(pointers: np.ndarray, itemsize: int, spans: Sequence[tuple[int, int]]) -> np.ndarray:
    at = pointers.astype(np.uint64)
    inside = np.zeros(at.shape, dtype=bool)
    for start, end in spans:
        inside |= (at >= np.uint64(start)) & (at <= np.uint64(max(end - itemsize, 0)))
    return inside
