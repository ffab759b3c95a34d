"""What goes into a check and comes out of an answer: tensors and plain values, and when two of them are the same."""

from __future__ import annotations

import math
import numbers
from typing import Any

import torch

Value = torch.Tensor | int | float | bool | str
Values = dict[str, Value]


def plain(value: Any) -> Any:
    """`value` as a Python number where it is one of numpy's or a tensor of one number; anything else as it is."""
    if isinstance(value, torch.Tensor):
        return value.item() if value.ndim == 0 and not value.is_complex() and not value.is_meta else value
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return value.item()
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def is_number(value: Any) -> bool:
    """Whether `value` is a Python integer or float. A truth value is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def close(a: Value, b: Value, rtol: float = 1e-4, atol: float = 1e-7) -> bool:
    """Equal shape and values within tolerance; strings and truth values exactly; NaN equals NaN.

    An entry of a tensor may be off by `rtol` of itself or of the tensor's scale, its root mean square, whichever is
    larger: rounding leaves that much in an entry near zero, where large terms cancel. `atol` is a floor.
    """
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        if a.dtype == b.dtype and torch.equal(a, b):  # as most right answers are: a hundredth of the time
            return True
        return a.shape == b.shape and not differs(a, b, rtol, atol).any()
    if isinstance(a, torch.Tensor) or isinstance(b, torch.Tensor):
        return False
    if isinstance(a, str | bool) or not isinstance(b, int | float) or isinstance(b, bool):
        return type(a) is type(b) and a == b
    return math.isclose(a, b, rel_tol=rtol, abs_tol=atol) or (math.isnan(a) and math.isnan(b))


def differs(a: torch.Tensor, b: torch.Tensor, rtol: float, atol: float) -> torch.Tensor:
    """Where two tensors of one shape are not `close`, entry by entry; `a` sets the scale."""
    wide = torch.complex128 if a.is_complex() or b.is_complex() else torch.float64
    a, b = a.to(wide), b.to(wide)
    same = (a == b) | (a.isnan() & b.isnan()) | ((a - b).abs() <= allowance(a, rtol, atol))
    return ~same


def allowance(want: torch.Tensor, rtol: float, atol: float) -> torch.Tensor:
    """By how much each entry of an output may be off."""
    finite = want[want.isfinite()].abs()
    scale = finite.square().mean().sqrt() if finite.numel() else finite.new_zeros(())
    return (rtol * torch.maximum(want.abs().nan_to_num(0.0, 0.0), scale)).clamp(min=atol)
