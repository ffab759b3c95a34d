"""A row of the kernels' benchmark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Row:
    """Contestants for one job; `limit` bounds the ratio of `ours` to `baseline`."""

    op: str
    case: str
    contestants: dict[str, Callable[[], object]]
    baseline: str
    ours: str
    limit: float | None = None
    stretch: float | None = None
    rounds: int | None = None  # where a contestant is too slow for the usual number
    chosen: str | None = None  # what PyTorch computes the baseline with, where it has a choice


def with_gradient(fn: Callable[..., Tensor], *inputs: Tensor) -> Callable[[], object]:
    """A forward and a backward pass to all inputs."""
    inputs = tuple(x.detach().clone().requires_grad_() for x in inputs)
    with torch.no_grad():
        grad = torch.randn_like(fn(*inputs))

    def step() -> object:
        with torch.enable_grad():
            return torch.autograd.grad(fn(*inputs), inputs, grad)

    return step


def backward_of(fn: Callable[..., Tensor], *inputs: Tensor) -> Callable[[], object]:
    """A backward pass alone, to all inputs."""
    inputs = tuple(x.detach().clone().requires_grad_() for x in inputs)
    with torch.enable_grad():
        y = fn(*inputs)
    grad = torch.randn_like(y)
    return lambda: torch.autograd.grad(y, inputs, grad, retain_graph=True)
