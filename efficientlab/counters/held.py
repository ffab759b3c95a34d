"""What a model or a value holds: every tensor, container and object that can be reached from it."""

from __future__ import annotations

import functools
import inspect
import random
import sys
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from enum import Enum
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

CONTAINERS = (dict, list, tuple, set, frozenset, deque)
_ATOMS = {type(None), bool, int, float, complex, str, bytes}  # hold nothing, and cannot change
_PLAIN = {*CONTAINERS, OrderedDict}  # exactly these: a module has a dozen of them, which are told at once
_TRAINING = (torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler, torch.amp.GradScaler)
_OPEN = (nn.Module, *_TRAINING, torch.distributions.Distribution, FunctionType)
_CLOSED = (
    type,
    ModuleType,
    FunctionType,
    MethodType,
    Enum,
    Tensor,
    np.ndarray,
    torch.Generator,
    random.Random,
)
_CLOSED_PACKAGES = (sys.stdlib_module_names - {"collections", "types", "__main__"}) | {"torch", "numpy"}


def everything_in(*roots: object) -> Iterator[Any]:
    """Every object below `roots`, themselves included, once; but no numbers, texts and None.

    Followed are the items of containers, the attributes of modules, of what trains them (optimisers, schedules of
    learning rates, scalers of gradients), of distributions, functions, and objects of classes outside of torch, NumPy
    and the standard library, the gradients and attributes of tensors, the object of a bound method, a function's
    default arguments, and the models (also in containers), what trains them, tensors and generators of random numbers
    that its code names.
    """
    seen: dict[int, object] = {}  # holds the objects, so that ids stay taken
    todo = list(roots)
    while todo:
        x = todo.pop()
        if type(x) not in _ATOMS and id(x) not in seen:
            seen[id(x)] = x
            yield x
            todo += _directly_in(x)


def tensors_within(*roots: object) -> list[Tensor]:
    return [x for x in everything_in(*roots) if isinstance(x, Tensor)]


def is_generator(x: object) -> bool:
    """Whether x draws random numbers; NumPy's kinds are told by name, since numpy.random takes time to import."""
    if type(x) in _PLAIN:
        return False
    of_numpy = any(kind.__module__.startswith("numpy.random") for kind in type(x).__mro__)
    return of_numpy or isinstance(x, torch.Generator | random.Random)


def is_open(x: object) -> bool:
    """Whether the attributes of x are its state, to be looked into and put back."""
    if type(x) in _PLAIN:
        return False
    if isinstance(x, _OPEN):
        return not isinstance(x, torch.jit.ScriptModule)
    return not isinstance(x, _CLOSED) and type(x).__module__.partition(".")[0] not in _CLOSED_PACKAGES


def attributes(x: object) -> dict[str, Any]:
    """Those of the instance, in its dictionary or in slots."""
    slots = [name for kind in type(x).__mro__ for name in _names(getattr(kind, "__slots__", ()))]
    values = {
        name: getattr(x, name)
        for name in slots
        if name not in {"__dict__", "__weakref__"} and hasattr(x, name)
    }
    return values | getattr(x, "__dict__", {})


def tags(x: Tensor) -> dict[str, Any]:
    """What was attached to a tensor from outside; empty where a subclass keeps there what it is made of."""
    plain = type(x).__torch_dispatch__ is Tensor.__torch_dispatch__
    return vars(x) if plain else {}


def _names(slots: str | Iterable[str]) -> list[str]:
    return [slots] if isinstance(slots, str) else list(slots)


def _directly_in(x: Any) -> Iterable[Any]:
    if isinstance(x, Tensor):
        own = list(tags(x).values())
        return own if is_lazy(x) or not x.is_leaf or x.grad is None else [x.grad, *own]
    if isinstance(x, torch.jit.ScriptModule):
        return (*x.children(), *x._parameters.values(), *x._buffers.values())
    inside: list[Any] = list(attributes(x).values()) if is_open(x) else []
    if isinstance(x, dict):
        inside += x.values()
    elif isinstance(x, CONTAINERS):
        inside += x
    elif isinstance(x, np.ndarray) and x.dtype.hasobject and x.dtype.names is None:
        inside += x.flat
    elif isinstance(x, functools.partial):
        inside += [x.func, x.args, x.keywords]
    elif isinstance(x, MethodType):
        inside.append(x.__self__)
    elif isinstance(x, FunctionType):
        inside += [*(x.__defaults__ or ()), *(x.__kwdefaults__ or {}).values(), *_named_by(x)]
    return inside


def _named_by(function: FunctionType) -> list[Any]:
    """Models, containers of models, what trains them, tensors and generators of random numbers among the variables that
    a function names, and functions of the same file.
    """
    try:
        variables = inspect.getclosurevars(function)
    except ValueError:  # a variable that has no value yet
        return []
    outside = [*variables.nonlocals.values(), *variables.globals.values()]
    return [
        x for x in outside
        if isinstance(x, (Tensor, torch.jit.ScriptFunction, *_TRAINING)) or owner_of(x) is not None
        or is_generator(x) or _has_models(x)
        or (isinstance(x, FunctionType) and x.__globals__ is function.__globals__)
    ]  # fmt: skip


def _has_models(x: object) -> bool:
    items = x.values() if isinstance(x, dict) else x if isinstance(x, CONTAINERS) else ()
    return any(isinstance(item, nn.Module) for item in items)


def owner_of(model: object) -> nn.Module | None:
    """The module that a call of `model` belongs to: a module itself, a bound method's, a partial call's."""
    while True:
        if isinstance(model, nn.Module):
            return model
        if isinstance(model, functools.partial):
            model = model.func
        elif isinstance(model, MethodType):
            model = model.__self__
        else:
            return None
