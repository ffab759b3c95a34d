import time
from functools import partial
from typing import Any

import pytest
import torch

from efficientlab.training.side_by_side import side_by_side


def test_runs_side_by_side_are_the_runs_alone() -> None:
    def run(bar: Any, seed: int) -> list[float]:
        bar.update(3)
        return torch.rand(3, generator=torch.Generator().manual_seed(seed)).tolist()

    runs = {seed: partial(run, seed=seed) for seed in range(3)}
    alone = side_by_side(runs, steps=9, workers=1)
    assert side_by_side(runs, steps=9, workers=2) == alone
    assert len({tuple(result) for result in alone.values()}) == 3


def test_each_run_has_one_core_and_the_others_get_theirs_back() -> None:
    before = torch.get_num_threads()
    assert side_by_side({"a": lambda bar: torch.get_num_threads()}, steps=1) == {"a": 1}
    assert torch.get_num_threads() == before


def test_a_run_that_fails_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side({"a": lambda bar: 1 / 0}, steps=1)


@pytest.mark.parametrize("error", [ValueError("diverged"), KeyboardInterrupt()])
def test_a_run_that_fails_ends_the_others_at_their_next_step(error: BaseException) -> None:
    made = []

    def long(bar: Any) -> None:
        while len(made) < 20_000:
            made.append(1)
            time.sleep(0.001)
            bar.update()

    def fails(bar: Any) -> None:
        while len(made) < 3:
            time.sleep(0.001)
        raise error

    with pytest.raises(type(error)):
        side_by_side({"long": long, "fails": fails, "waits": long}, steps=40_000)
    assert 3 <= len(made) < 20_000
