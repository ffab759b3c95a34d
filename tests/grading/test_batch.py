"""Records, and what a batch keeps, grades again, and refuses; the same batch through every engine."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from classroom import LAB, grade_class, notebook, outcome, solutions, write_class
from hypothesis import given
from hypothesis import strategies as st

from efficientlab.files import write_text
from efficientlab.grading.batch import grade_batch
from efficientlab.grading.engines import local
from efficientlab.grading.engines.local import LocalEngine
from efficientlab.grading.engines.slurm import SlurmEngine
from efficientlab.grading.grader import Plan
from efficientlab.grading.record import (
    ExerciseResult,
    Incoming,
    Record,
    load_records,
    record_id,
    record_path,
)
from efficientlab.grading.sandbox.channel import PipeChannel
from efficientlab.grading.sandbox.contract import SandboxError

linux = pytest.mark.skipif(sys.platform != "linux", reason="boxes are forked on Linux only")


class Counting:
    """An engine that grades nothing: it notes what it was asked for, and gives full marks."""

    def __init__(self, faults: tuple[str, ...] = ()) -> None:
        self.asked: list[str] = []
        self.plans: list = []
        self.faults = faults

    def run(self, plan, batch, out):
        self.plans.append(plan)
        for one in batch:
            self.asked.append(one.id)
            yield Record(
                *(one.id, one.student, one.path.name, one.sha256, one.submitted, plan.lab, plan.lab_version),
                *(plan.seed, "namespaces" if plan.sandbox == "auto" else plan.sandbox, "a guarantee"),
                (ExerciseResult("4.1", "Frame aggregation", 8, False, 8, "passed", "10 cases"),),
                faults=self.faults,
            )


@pytest.fixture
def batch(tmp_path: Path) -> list[Incoming]:
    return write_class(tmp_path / "in", 4, broken=0.0)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)


@given(
    name=TEXT,
    message=TEXT,
    slip=st.none() | TEXT,
    seed=st.integers(0, 2**31),
    notes=st.lists(TEXT, max_size=3),
)
def test_a_record_survives_json(
    name: str, message: str, slip: str | None, seed: int, notes: list[str]
) -> None:
    exercise = ExerciseResult("4.1", name, 8, False, None, "not checked", message, slip, 3, 0.5, tuple(notes))
    record = Record(
        "a", name, "b.ipynb", "0" * 64, None, 4, "v", seed, "none", message, (exercise,), tuple(notes)
    )
    assert Record.from_json(record.to_json()) == record


def test_totals_count_what_they_say() -> None:
    def result(
        exercise: str, points: int, earned: int | None, status: str, bonus: bool = False
    ) -> ExerciseResult:
        return ExerciseResult(exercise, "", points, bonus, earned, status, "")  # type: ignore[arg-type]

    results = (
        *(result("1", 10, 10, "passed"), result("2", 20, 0, "failed"), result("3", 5, None, "by hand")),
        *(result("4", 7, 7, "passed", bonus=True), result("5", 3, None, "not checked")),
    )
    record = Record("a", "a", "a", "", None, 4, "", 0, "none", "", results)
    assert (record.points, record.bonus, record.checkable, record.by_hand) == (10, 7, 33, 5)
    assert record["2"].status == "failed"
    with pytest.raises(KeyError):
        record["9"]


@given(st.text(max_size=300))
def test_every_name_has_an_id_that_stays_in_its_folder(name: str) -> None:
    made = record_id(name)
    assert record_id(made) == made
    assert record_path(Path("/g"), made).parent == Path("/g/records")


def test_ids_that_are_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot name a record; use 'etc-passwd'"):
        Incoming("../etc/passwd", "x", tmp_path, "")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "exercises": []}'])
def test_what_is_no_record_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"record|Expecting"):
        Record.from_json(text)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_second_run_grades_only_what_is_new(tmp_path: Path, batch: list[Incoming]) -> None:
    out = tmp_path / "out"
    first, second = Counting(), Counting()
    assert len(list(grade_batch(batch, LAB, out, engine=first))) == 4
    record_path(out, batch[0].id).write_text("{ torn")
    changed = [batch[0], replace(batch[1], sha256="f" * 64), *batch[2:]]
    assert {r.id for r in grade_batch(changed, LAB, out, engine=second)} == {one.id for one in batch}
    assert second.asked == [batch[0].id, batch[1].id]
    assert second.plans[0].seed == first.plans[0].seed  # the run went on
    assert len(load_records(out)) == 4


@pytest.mark.slow
def test_another_seed_lab_or_sandbox_and_a_fault_mean_another_run(
    tmp_path: Path, batch: list[Incoming]
) -> None:
    out = tmp_path / "out"

    def asked(engine: Counting, **options: object) -> int:
        list(grade_batch(batch, LAB, out, engine=engine, **options))  # type: ignore[arg-type]
        return len(engine.asked)

    assert asked(Counting(faults=("no memory",)), seed=1, sandbox="none") == 4
    assert asked(Counting(), seed=1, sandbox="none") == 4  # they had faults
    assert asked(Counting(), seed=1, sandbox="none") == 0
    assert asked(Counting(), seed=1) == 4  # there was no sandbox, and now one is asked for
    assert asked(Counting(), seed=1, sandbox="none") == 0
    assert asked(Counting(), seed=2) == 4
    for record in load_records(out):
        replace(record, lab_version="another").save(out)
    assert asked(Counting(), seed=2) == 4


def test_without_a_seed_each_folder_gets_its_own(tmp_path: Path, batch: list[Incoming]) -> None:
    engine = Counting()
    for name in ("a", "b"):
        list(grade_batch(batch, LAB, tmp_path / name, engine=engine))
    assert engine.plans[0].seed != engine.plans[1].seed
    kept = json.loads((tmp_path / "a" / "run.json").read_text())
    assert kept["seed"] == engine.plans[0].seed


def test_two_submissions_of_one_id_are_refused(tmp_path: Path, batch: list[Incoming]) -> None:
    twice = [*batch, replace(batch[0], id=batch[0].id.upper())]
    with pytest.raises(ValueError, match="two submissions have the id"):
        list(grade_batch(twice, LAB, tmp_path / "out", engine=Counting()))


@pytest.mark.slow
@linux
def test_a_sandbox_that_does_not_work_stops_the_batch_before_anything_is_graded(
    tmp_path: Path, batch: list[Incoming]
) -> None:
    with pytest.raises(SandboxError, match="docker"):
        list(grade_class(batch, tmp_path / "out", 3, sandbox="docker"))
    assert not (tmp_path / "out" / "records").exists()


@pytest.mark.slow
@linux
@pytest.mark.parametrize("deaths", [1, 2])
def test_a_supervisor_that_dies_at_its_start_gets_one_successor(
    tmp_path: Path, batch: list[Incoming], monkeypatch: pytest.MonkeyPatch, deaths: int
) -> None:
    start, left = local.start_supervisor, [deaths]

    def dying(plan: Plan) -> PipeChannel:
        if left[0]:
            left[0] -= 1
            raise EOFError
        return start(plan)

    monkeypatch.setattr(local, "start_supervisor", dying)
    run = grade_class(batch, tmp_path / "out", 3, engine=LocalEngine(workers=1))
    if deaths == 1:
        assert sorted(record.id for record in run) == sorted(one.id for one in batch)
    else:
        with pytest.raises(SandboxError, match="2 supervisors died"):
            list(run)


@pytest.mark.slow
@linux
def test_slurm_jobs_grade_what_this_machine_grades(tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    batch = write_class(tmp_path / "in", 3, broken=0.0)
    here = sorted(map(outcome, grade_class(batch, tmp_path / "here", 3)))
    engine = SlurmEngine(jobs=2, cluster="local")
    there = sorted(map(outcome, grade_class(batch, tmp_path / "there", 3, engine=engine)))
    assert here == there
    assert sorted(map(outcome, load_records(tmp_path / "there"))) == there


@pytest.mark.slow
@linux
def test_the_same_submission_gets_the_same_record_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(notebook(solutions()["4.1"], "def stream_logits(net, video):\n    return video"))
    one = Incoming("a", "A", path, "0" * 64)
    records = [next(iter(grade_class([one], tmp_path / name, 3))) for name in ("x", "y")]
    assert outcome(records[0]) == outcome(records[1])
    assert records[0].points == 8 and records[0]["4.7"].status == "failed"
    assert records[0].cpu_seconds > 0
