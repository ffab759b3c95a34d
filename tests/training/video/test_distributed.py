import os
import subprocess
import sys
from pathlib import Path

import pytest

from efficientlab.models.video.rivals import TSN
from efficientlab.training.video import distributed
from efficientlab.training.video.distributed import load, measure_all_reduce


@pytest.mark.slow
def test_two_processes_all_reduce_four_bytes_a_parameter():
    report = measure_all_reduce("efficientlab.models.video.rivals:TSN", clips=2, frames=2, steps=3)
    parameters = sum(p.numel() for p in TSN().parameters())
    assert report["workers"] == 2
    assert report["parameters"] == parameters
    assert report["all_reduced_bytes"] == 4 * parameters
    assert report["replicas_agree"] is True
    assert report["step_seconds"] > 0


@pytest.mark.slow
def test_a_failure_in_a_process_is_named():
    with pytest.raises(RuntimeError, match=r"no:thing on 2 processes failed: .*No module named 'no'"):
        measure_all_reduce("no:thing")


def test_bad_names_of_models():
    with pytest.raises(ValueError, match=r"'package.module:name', got 'TSN'"):
        load("TSN")
    with pytest.raises(TypeError, match="made a dict"):
        load("builtins:dict")


def test_a_signal_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "_run_together", lambda command, workers: (-6, ""))
    with pytest.raises(RuntimeError, match="signal 6 ended a process"):
        distributed.measure_all_reduce("module:Name")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="threads are listed in /proc")
def test_no_thread_of_gloo_outlives_its_group(tmp_path: Path) -> None:
    """One that did aborted a process now and then, while Python shut down."""
    arguments = ["--model=efficientlab.models.video.rivals:TSN", "--clips=1", "--frames=2", "--steps=2"]
    code = (
        "import sys, pathlib\n"
        "from efficientlab.training.video.distributed import main\n"
        f"sys.argv[1:] = {[*arguments, '--meet', (tmp_path / 'store').as_uri()]}\n"
        "main()\n"
        "print(*sorted(p.read_text() for p in pathlib.Path('/proc/self/task').glob('*/comm')))"
    )
    ranked = {**os.environ, "RANK": "0", "WORLD_SIZE": "1"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=ranked, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "python" in run.stdout
    assert "gloo" not in run.stdout


def test_where_one_process_fails_the_others_do_not_wait_for_it() -> None:
    """Rank 0 sleeps for an hour, rank 1 fails at once."""
    code = "import os, sys, time; time.sleep(3600) if os.environ['RANK'] == '0' else sys.exit('KeyError: 1')"
    assert distributed._run_together([sys.executable, "-c", code], 2) == (1, "KeyError: 1\n")
