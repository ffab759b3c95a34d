"""Whether an answer would run where its input lies on another device, told without one.

What a call makes without naming a device or a tensor lies on the default device: it is a *stray*. A stray may be
moved, may be an index, may be written into another tensor, and one of no dimensions goes with any tensor. Elsewhere
a stray and a tensor of the input's device do not mix.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

_MOVES = {"to", "type_as", "cuda"}
_MIXES = {"__getitem__", "__setitem__", "copy_", "expand_as", "view_as", "reshape_as"}


class Elsewhere(TorchFunctionMode):
    """Watches every call to torch. `failed` is True once one would have failed with the input on another device."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = False
        self._strays: list[Tensor] = []

    def is_stray(self, tensor: Tensor) -> bool:
        """Whether this tensor lies on the default device, and not where the input lies."""
        return any(tensor is stray for stray in self._strays)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        strays = [tensor for tensor in given if self.is_stray(tensor)]
        made = func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        if name in _MOVES:
            return made.view(made.shape) if strays and isinstance(made, Tensor) else made  # no stray any more
        if len(strays) == len(given) and "device" not in kwargs:
            self._strays += [leaf for leaf in tree_leaves(made) if isinstance(leaf, Tensor)]
        elif name not in _MIXES and any(s.ndim for s in strays):
            others = [tensor for tensor in given if not self.is_stray(tensor)]
            self.failed |= any(tensor.ndim for tensor in others)
        return made
