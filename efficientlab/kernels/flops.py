"""What the ops cost in FLOPs, for torch's FlopCounterMode.

A counter copies the registry of `torch.utils.flop_counter` when it is made, so the formulas must stand there before.
But that module imports Triton where it is installed, a quarter of a second that only those who count should wait for.
So the formulas wait here, and go over as soon as anybody imports the module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

COUNTER = "torch.utils.flop_counter"

_waiting: dict[Any, Callable[..., int]] = {}


def register_flops(packet: Any, formula: Callable[..., int]) -> None:
    """Give FlopCounterMode the FLOPs of an op, from its arguments and its result as `out_val`."""
    _waiting[packet] = formula
    if COUNTER in sys.modules:
        _hand_over(sys.modules[COUNTER])


def _hand_over(counter: ModuleType) -> None:
    while _waiting:
        packet, formula = _waiting.popitem()
        counter.register_flop_formula(packet, get_raw=True)(formula)


class _AtImport(MetaPathFinder):
    """Finds nothing itself; lets the formulas follow the import of `torch.utils.flop_counter`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != COUNTER:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def and_hand_over(module: ModuleType) -> None:
            execute(module)
            _hand_over(module)

        spec.loader.exec_module = and_hand_over  # type: ignore[method-assign]
        return spec


if COUNTER not in sys.modules:
    sys.meta_path.insert(0, _AtImport())
