import sys
import time

import pytest

from efficientlab.models.video.rivals import TSN
from efficientlab.training.video import distributed
from efficientlab.training.video.distributed import load, measure_all_reduce


def test_two_processes_all_reduce_four_bytes_a_parameter():
    report = measure_all_reduce("efficientlab.models.video.rivals:TSN", clips=2, frames=2, steps=3)
    parameters = sum(p.numel() for p in TSN().parameters())
    assert report["workers"] == 2
    assert report["parameters"] == parameters
    assert report["all_reduced_bytes"] == 4 * parameters
    assert report["replicas_agree"] is True
    assert report["step_seconds"] > 0


def test_a_failure_in_a_process_is_named():
    with pytest.raises(RuntimeError, match=r"no:thing on 2 processes failed: .*No module named 'no'"):
        measure_all_reduce("no:thing")


def test_bad_names_of_models():
    with pytest.raises(ValueError, match=r"'package.module:name', got 'TSN'"):
        load("TSN")
    with pytest.raises(TypeError, match="made a dict"):
        load("builtins:dict")


@pytest.mark.parametrize(("aborts", "error"), [(2, None), (3, "signal 6")])
def test_a_signal_is_worth_another_try(
    monkeypatch: pytest.MonkeyPatch, aborts: int, error: str | None
) -> None:
    runs = [(-6, "")] * aborts + [(0, '{"workers": 2}\n')]
    monkeypatch.setattr(distributed, "_run_together", lambda command, workers: runs.pop(0))
    if error:
        with pytest.raises(RuntimeError, match=error):
            distributed.measure_all_reduce("module:Name")
    else:
        assert distributed.measure_all_reduce("module:Name") == {"workers": 2}


def test_an_error_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [(1, "ValueError: no such network\n")]
    monkeypatch.setattr(distributed, "_run_together", lambda command, workers: runs.pop(0))
    with pytest.raises(RuntimeError, match="no such network"):
        distributed.measure_all_reduce("module:Name")


def test_where_one_process_fails_the_others_do_not_wait_for_it() -> None:
    """Rank 0 sleeps for a minute, rank 1 fails at once."""
    code = "import os, sys, time; time.sleep(60) if os.environ['RANK'] == '0' else sys.exit('KeyError: 1')"
    start = time.monotonic()
    assert distributed._run_together([sys.executable, "-c", code], 2) == (1, "KeyError: 1\n")
    assert time.monotonic() - start < 30
