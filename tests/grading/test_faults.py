"""A grader that is killed again and again gives what an undisturbed one gives: each record once, all scores equal.

The short form takes a few students; EFFICIENTLAB_FULL=1 takes 500, five kills of the grader and two of Dask workers.
EFFICIENTLAB_WHOLE=N grades all exercises of lab N in place of two of lab 4.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from classroom import BROKEN_CODE, BROKEN_FILES, EXERCISES, grade_class, outcome, write_class

from efficientlab.environment import ROOT
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.record import Incoming, load_records

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="boxes are forked on Linux only"),
    pytest.mark.slow,
]

FULL = os.environ.get("EFFICIENTLAB_FULL") == "1"
STUDENTS, KILLS, BROKEN = (500, 5, 0.1) if FULL else (24, 2, 2 / 3)
WHOLE = os.environ.get("EFFICIENTLAB_WHOLE")
LAB = find_lab(int(WHOLE or 4))
ASKED = [e.id for e in LAB.exercises if e.check] if WHOLE else list(EXERCISES)
SEED = 77


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("class")


@pytest.fixture(scope="module")
def batch(folder: Path) -> list[Incoming]:
    return write_class(folder / "in", STUDENTS, BROKEN, number_of_lab=LAB.number, exercises=ASKED)


@pytest.fixture(scope="module")
def undisturbed(batch: list[Incoming], folder: Path) -> list[tuple]:
    return sorted(outcome(record) for record in grade_class(batch, folder / "undisturbed", SEED, LAB))


def test_every_kind_of_broken_submission_gets_a_record(
    batch: list[Incoming], undisturbed: list[tuple]
) -> None:
    assert round(len(batch) * BROKEN) >= len(BROKEN_FILES) + len(BROKEN_CODE)
    assert [row[0] for row in undisturbed] == sorted(one.id for one in batch)
    assert not any(faults for _, _, faults, _ in undisturbed)
    points = {row[0]: row[1] for row in undisturbed}
    assert all(points[f"student{n:03}"] == 0 for n in range(len(BROKEN_FILES)))
    assert all(
        points[f"student{n + len(BROKEN_FILES):03}"] == LAB[ASKED[1]].points for n in range(len(BROKEN_CODE))
    )  # the other answer stands


def test_killed_graders_lose_nothing(folder: Path, batch: list[Incoming], undisturbed: list[tuple]) -> None:
    out, draw = folder / "killed", random.Random(1)
    command = [sys.executable, __file__.replace("test_faults", "classroom"), folder / "in", out, str(SEED)]
    command.append(str(LAB.number))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    for kill in range(KILLS):
        wanted = (kill + 1) * STUDENTS // (KILLS + 1)
        with (folder / "stderr.txt").open("ab") as stderr:
            grader = subprocess.Popen(command, env=environment, stderr=stderr)
        while len(list((out / "records").glob("student*.json"))) < wanted:
            assert grader.poll() is None, "the grader ended by itself"
            time.sleep(0.02)
        time.sleep(draw.random() / 2)
        grader.send_signal(signal.SIGKILL)
        grader.wait()
    before = {path.name: path.stat().st_mtime_ns for path in (out / "records").glob("student*.json")}
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    assert sorted(map(outcome, load_records(out))) == undisturbed
    kept = sum((out / "records" / name).stat().st_mtime_ns == stamp for name, stamp in before.items())
    assert kept == len(before), "records that were done were made again"
    said = (folder / "stderr.txt").read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in said, said


def test_a_killed_supervisor_is_replaced(
    folder: Path, batch: list[Incoming], undisturbed: list[tuple]
) -> None:
    share = batch if FULL else batch[::2]
    expected = [row for row in undisturbed if row[0] in {one.id for one in share}]
    records = []
    for record in grade_class(share, folder / "supervisor", SEED, LAB):
        records.append(record)
        if len(records) == len(share) // 2:
            me = Path(f"/proc/{os.getpid()}/task")
            children = [int(c) for task in me.iterdir() for c in (task / "children").read_text().split()]
            mine = [c for c in children if b"engines.local" in Path(f"/proc/{c}/cmdline").read_bytes()]
            os.kill(mine[0], signal.SIGKILL)
    assert sorted(map(outcome, records)) == expected


def test_a_dask_worker_may_die_twice(folder: Path, batch: list[Incoming], undisturbed: list[tuple]) -> None:
    distributed = pytest.importorskip("distributed")
    from efficientlab.grading.engines.dask import DaskEngine

    share = batch if FULL else batch[::3]
    expected = [row for row in undisturbed if row[0] in {one.id for one in share}]
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        records = []
        for record in grade_class(
            share, folder / "dask", SEED, LAB, engine=DaskEngine(cluster.scheduler_address)
        ):
            records.append(record)
            if len(records) in (len(share) // 4, len(share) // 2):
                os.kill(cluster.workers[len(records) % 2].pid, signal.SIGKILL)
    assert sorted(map(outcome, records)) == expected
