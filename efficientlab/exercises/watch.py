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
    """What one launch did: whether it `read_outside` or `wrote_outside` of the tensors or `read_target`, and whether it
    read the target or added to it where it had not written: `took_unwritten`.

    Args:
        tensors: what the kernel is given, each contiguous.
        target: the one of them that it is to write.
        buffers: the memory around each that may be touched without harm, itself included.
    """

    def __init__(self, tensors: Sequence[Tensor], target: Tensor, buffers: Sequence[Tensor]) -> None:
        self.read_outside = self.read_target = self.took_unwritten = False
        self.wrote_outside = self._by_others = False
        self._tensors, self._target = [_span(t) for t in tensors], _span(target)
        self._buffers = [_span(t) for t in buffers]
        self._memory = target.numpy(force=True).reshape(-1).view(np.uint8)  # of a GPU's tensor, a copy
        self._kept = self._memory.copy()
        self._unwritten, self._element = np.ones(target.numel(), dtype=bool), target.element_size()

    def load(self, pointers: Any, mask: Any, itemsize: int) -> np.ndarray:
        """The mask of the loads that may happen."""
        at, wanted = np.asarray(pointers), np.asarray(mask, dtype=bool)
        self.read_outside |= bool((wanted & ~_within(at, itemsize, self._tensors)).any())
        places = self._places(at, wanted, itemsize)
        self.read_target |= len(places) > 0
        self.took_unwritten |= bool(self._unwritten[places].any())
        return wanted & _within(at, itemsize, self._buffers)

    def store(self, pointers: Any, mask: Any, itemsize: int) -> np.ndarray:
        """The mask of the stores that may happen."""
        at, wanted = np.asarray(pointers), np.asarray(mask, dtype=bool)
        self._by_others = self.written_by_others()
        self._unwritten[self._places(at, wanted, itemsize)] = False
        self.wrote_outside |= bool((wanted & ~_within(at, itemsize, self._tensors)).any())
        return wanted & _within(at, itemsize, self._buffers)

    def add(self, pointers: Any, mask: Any, itemsize: int) -> np.ndarray:
        """The mask of the atomic additions, and of their kin, that may happen."""
        places = self._places(np.asarray(pointers), np.asarray(mask, dtype=bool), itemsize)
        self.took_unwritten |= bool(self._unwritten[places].any())
        return self.store(pointers, mask, itemsize)

    def stored(self, result: Any) -> Any:
        """Take what is in the target now for what the kernel left there; gives the store's own `result`."""
        self._kept = self._memory.copy()
        return result

    def written_by_others(self) -> bool:
        """Whether the target holds, or held at a store, what no store of the kernel's left there."""
        return self._by_others or not np.array_equal(self._memory, self._kept)

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

        def undefined_where_masked(builder: Any, pointers: Any, mask: Any, other: Any, *options: Any) -> Any:
            """A masked load without `other=` gives NaN, or the largest integer, where the mask is false."""
            if other is None:
                element = pointers.get_element_ty()
                dtype = interpreter._get_np_dtype(element)
                anything = np.nan if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max
                fill = np.full(np.shape(pointers.data), anything, dtype)
                other = interpreter.TensorHandle(fill, element)
            return masked_load(builder, pointers, mask, other, *options)

        interpreter._interpreter = _Memory(native, self)
        builder.create_masked_load = undefined_where_masked
        # as on a GPU, no sum of integers is tested for overflow: that took more than half of the interpreter's time
        ours.options = replace(options, sanitize_overflow=False)
        try:
            yield
        finally:
            interpreter._interpreter, builder.create_masked_load = native, masked_load
            ours.options = options


class _Memory:
    """The operations on memory of Triton's interpreter, each behind a watch."""

    def __init__(self, native: Any, watch: Watch) -> None:
        self._native, self._watch = native, watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._native, name)

    def load(self, pointers: Any, mask: Any, other: Any, dtype: Any) -> Any:
        allowed = self._watch.load(pointers, mask, np.dtype(dtype).itemsize)
        return self._native.load(pointers, allowed, other, dtype)

    def store(self, pointers: Any, value: Any, mask: Any) -> Any:
        allowed = self._watch.store(pointers, mask, np.asarray(value).itemsize)
        return self._watch.stored(self._native.store(pointers, value, allowed))

    def atomic_rmw(self, kind: Any, pointers: Any, value: Any, mask: Any, order: Any) -> Any:
        allowed = self._watch.add(pointers, mask, np.asarray(value).itemsize)
        return self._watch.stored(self._native.atomic_rmw(kind, pointers, value, allowed, order))

    def atomic_cas(self, pointers: Any, compared: Any, value: Any, order: Any) -> Any:
        everywhere = np.ones_like(np.asarray(pointers), dtype=bool)
        if not self._watch.store(pointers, everywhere, np.asarray(value).itemsize).all():
            raise IndexError("the kernel reaches beyond its tensors")  # it takes no mask
        return self._watch.stored(self._native.atomic_cas(pointers, compared, value, order))


def _span(tensor: Tensor) -> tuple[int, int]:
    start = tensor.data_ptr()
    return start, start + tensor.numel() * tensor.element_size()


def _within(pointers: np.ndarray, itemsize: int, spans: Sequence[tuple[int, int]]) -> np.ndarray:
    at = pointers.astype(np.uint64)
    inside = np.zeros(at.shape, dtype=bool)
    for start, end in spans:
        inside |= (at >= np.uint64(start)) & (at <= np.uint64(max(end - itemsize, 0)))
    return inside
