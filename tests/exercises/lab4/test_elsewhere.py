"""What would fail on another device is told from what would run there, on one device."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from efficientlab.exercises.lab4.elsewhere import Elsewhere

RUNS: dict[str, Callable[[Tensor], Tensor]] = {
    "made like x": lambda x: torch.cat([x, torch.zeros_like(x)]),
    "made by x": lambda x: x + x.new_zeros(x.shape),
    "made on x's device": lambda x: x + torch.arange(4, device=x.device),
    "moved": lambda x: x + torch.ones(4).to(x.device),
    "moved to the kind of x": lambda x: x + torch.ones(4).to(x),
    "a number": lambda x: torch.where(x > 0, x, torch.tensor(0.0)),
    "an index": lambda x: x[:, torch.arange(4).flip(0)],
    "written into x": lambda x: x.clone().copy_(torch.ones(2, 4)),
    "written into a part of x": lambda x: x.clone().index_fill(0, torch.tensor([0], device=x.device), 1.0),
}
FAILS: dict[str, Callable[[Tensor], Tensor]] = {
    "joined": lambda x: torch.cat([x, torch.zeros(1, 4)]),
    "a mask": lambda x: x * (torch.arange(4) > 0),
    "a number that was spread": lambda x: x + torch.tensor(0.0).expand(2, 4),
    "a part of what was made": lambda x: x + torch.zeros(3, 4).unbind(0)[0],
    "returned": lambda x: torch.zeros(x.shape),
    "x written into what was made": lambda x: torch.zeros(x.shape).copy_(x),
}


def fails_elsewhere(answer: Callable[[Tensor], Tensor]) -> bool:
    x = torch.randn(2, 4, generator=torch.Generator().manual_seed(0))
    with Elsewhere() as elsewhere:
        returned = answer(x)
    return elsewhere.failed or elsewhere.is_stray(returned)


@pytest.mark.parametrize("name", RUNS)
def test_an_answer_that_runs_on_any_device_does_not_fail(name: str) -> None:
    assert not fails_elsewhere(RUNS[name])


@pytest.mark.parametrize("name", FAILS)
def test_an_answer_that_needs_the_default_device_fails(name: str) -> None:
    assert fails_elsewhere(FAILS[name])
