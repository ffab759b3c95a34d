"""Putting back what a run changed, whatever it was that changed it."""

from __future__ import annotations

import random
import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from efficientlab.counters.held import attributes, everything_in, is_generator, is_open, tags
from efficientlab.counters.traffic import is_fake, parts_of

Restore = Callable[[], None]


@contextmanager
def state_kept() -> Iterator[Callable[..., None]]:
    """Put random state, and all that was taken note of, back at the end, also after a failure.

    Yields a function that takes note of everything that is in its arguments (`held.everything_in`), to be
    called before they run: values of tensors and arrays, items of containers, attributes and classes of
    objects, hooks. Not noted is what lives elsewhere: globals, attributes of classes and a function's own variables
    that are no modules, torch's settings, attributes of scripted modules, whatever is behind a file, a socket or a
    foreign library.
    """
    restores: dict[int, tuple[object, Restore]] = {}  # by id; holds the object, so that the id stays taken

    def remember(*roots: object) -> None:
        for x in everything_in(*roots):
            if id(x) not in restores and (restore := _restoring(x)) is not None:
                restores[id(x)] = x, restore

    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    of_python = random.getstate()
    of_numpy = np.random.get_state() if "numpy.random" in sys.modules else None  # noqa: NPY002
    with torch.random.fork_rng(devices):
        try:
            yield remember
        finally:
            for _, restore in restores.values():
                restore()
            restores.clear()  # what `remember` belongs to may be part of a cycle, which would keep the copies
            random.setstate(of_python)
            if of_numpy is not None:
                np.random.set_state(of_numpy)  # noqa: NPY002


def _restoring(x: Any) -> Restore | None:
    """What puts x itself, not what it holds, back to its present state; None for what cannot change.

    None also for what torch.vmap and its kin made, and for a dictionary where torch.func.functional_call has put
    such tensors: they live no longer than the call.
    """
    if _is_transformed(x) or (isinstance(x, dict) and any(map(_is_transformed, x.values()))):
        return None
    if isinstance(x, Tensor):
        return _of_tensor(x)
    if isinstance(x, np.ndarray):
        return _of_array(x)
    if isinstance(x, torch.jit.ScriptModule):
        return _of_script(x)
    if is_generator(x):
        return _of_generator(x)
    of_items: Restore | None = None
    if isinstance(x, dict):
        of_items = _of_dict(x)
    elif isinstance(x, list | deque):
        of_items = _of_list(x)
    elif isinstance(x, bytearray | array):
        of_items = _of_numbers(x)
    elif isinstance(x, set):
        of_items = _of_set(x)
    if not is_open(x):
        return of_items
    of_attributes = _of_object(x)

    def both() -> None:
        of_attributes()
        if of_items is not None:
            of_items()

    return both


def _is_transformed(x: object) -> bool:
    return isinstance(x, Tensor) and torch._C._functorch.is_functorch_wrapped_tensor(x)


# ------------------------------------------------------------------------------------------- values


def _of_tensor(x: Tensor) -> Restore:
    kind, memory, needs_grad = type(x), x.data, x.requires_grad
    plain = len(parts_of(x)) == 1
    values = [] if is_lazy(x) else [(p.detach(), p.detach().clone()) for p in parts_of(x) if _has_values(p)]
    entries = x.detach().clone() if x.layout is torch.sparse_coo and _has_values(x) else None
    grad = x.grad if x.is_leaf and not is_lazy(x) else None
    others = [_of_dict(tags(x)), *(_of_hooks(x, name) for name in _HOOKS)]

    def restore() -> None:
        for other in others:
            other()
        if type(x) is not kind:  # a lazy parameter that was initialised
            x.data = memory
            x.__class__ = kind
        elif plain and _place(x) != _place(memory):  # x.data was assigned to
            x.data = memory
        if entries is not None and not all(map(_same, parts_of(x), parts_of(entries))):
            with torch.inference_mode(x.is_inference()), torch.no_grad():
                x.copy_(entries)  # it may hold other values than it did, not others in the same memory
        for part, value in values:
            if not _same(part, value):
                with torch.inference_mode(part.is_inference()), torch.no_grad():
                    part.copy_(value)
        if x.is_leaf and not is_lazy(x):
            if x.requires_grad != needs_grad:
                x.requires_grad_(needs_grad)
            if x.grad is not grad:
                x.grad = grad

    return restore


_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")


def _of_hooks(x: Tensor, name: str) -> Restore:
    table = getattr(x, name)
    hooks = dict(table or {})

    def restore() -> None:
        now = getattr(x, name)
        if now is not table:
            now.clear()
            setattr(x, name, table)
        if table is not None and list(table) != list(hooks):
            table.clear()
            table.update(hooks)

    return restore


def _has_values(x: Tensor) -> bool:
    return not x.is_meta and not is_fake(type(x))


def _place(x: Tensor) -> tuple[Any, ...]:
    if x.layout is not torch.strided or x.is_nested:
        return ()
    return x.untyped_storage()._cdata, x.storage_offset(), x.shape, x.stride(), x.dtype


def _same(a: Tensor, b: Tensor) -> bool:
    """Equal, NaN to NaN."""
    if a.shape != b.shape:
        return False
    return torch.equal(a, b) or bool(((a == b) | ((a != a) & (b != b))).all())


def _of_array(x: np.ndarray) -> Restore | None:
    if not x.flags.writeable:
        return None
    value = x.copy()

    def restore() -> None:
        x[...] = value

    return restore


def _of_generator(x: Any) -> Restore:
    if hasattr(x, "getstate"):  # Python's
        value = x.getstate()
        return lambda: x.setstate(value)
    if hasattr(x, "get_state"):  # torch's, NumPy's RandomState
        value = x.get_state()
        return lambda: x.set_state(value)
    bits = getattr(x, "bit_generator", x)  # NumPy's Generator, BitGenerator
    value = bits.state
    return lambda: setattr(bits, "state", value)


# ------------------------------------------------------------------------------ containers, objects


def _of_list(x: Any) -> Restore:
    items = list(x)

    def restore() -> None:
        if len(x) != len(items) or any(now is not before for now, before in zip(x, items, strict=True)):
            x.clear()
            x.extend(items)

    return restore


def _of_numbers(x: Any) -> Restore:
    numbers = x[:]

    def restore() -> None:
        if x != numbers:
            x[:] = numbers

    return restore


def _of_set(x: set[Any]) -> Restore:
    items = set(x)

    def restore() -> None:
        if x != items:
            x.clear()
            x.update(items)

    return restore


def _of_dict(x: dict[Any, Any]) -> Restore:
    items = dict(x)

    def restore() -> None:
        if list(x) != list(items) or any(x[key] is not value for key, value in items.items()):
            x.clear()
            x.update(items)

    return restore


def _of_object(x: Any) -> Restore:
    kind, before = type(x), attributes(x)

    def restore() -> None:
        if type(x) is not kind:
            x.__class__ = kind
        now = attributes(x)
        for name in now.keys() - before.keys():
            object.__delattr__(x, name)
        for name, value in before.items():
            if name not in now or now[name] is not value:
                object.__setattr__(x, name, value)

    return restore


def _of_script(x: torch.jit.ScriptModule) -> Restore:
    """Parameters and buffers; they are looked up anew at each access, so the dictionaries are written to."""
    tables: list[Any] = [x._parameters, x._buffers]
    before = [(table, dict(table.items())) for table in tables]

    def restore() -> None:
        for table, tensors in before:
            for name, value in tensors.items():
                table[name] = value

    return restore
