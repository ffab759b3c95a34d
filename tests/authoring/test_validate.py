"""What `validate` grades, and how it tells that all is well. The full run is `python -m efficientlab validate`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from efficientlab.authoring import validate as module
from efficientlab.authoring.recording import mutant_files
from efficientlab.authoring.validate import Sample, samples_of, validate
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import MODULES, find_lab
from efficientlab.grading.record import ExerciseResult, Record, record_id
from efficientlab.grading.sandbox.contract import SandboxError

LAB = find_lab(4)


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return list(samples_of(LAB))


def test_every_slip_and_every_right_answer_is_a_submission(samples: list[Sample]) -> None:
    checked = [e for e in LAB.exercises if e.check]
    assert samples[0] == Sample("solution", samples[0].notebook, frozenset())
    assert samples[1].loses == {e.id for e in checked}
    slips = [sample for sample in samples if sample.slip]
    assert len(slips) == sum(len(mutant_files(LAB, e)) for e in checked)
    assert all(len(sample.loses) == 1 for sample in slips)
    assert sum(sample.name.startswith("right-") for sample in samples) >= len(checked)
    assert len({record_id(sample.name).casefold() for sample in samples}) == len(samples)


def test_a_slip_differs_from_the_solution_in_its_own_cell_alone(samples: list[Sample]) -> None:
    complete = samples[0].notebook.cells
    for sample in samples[2:]:
        changed = [a.id for a, b in zip(sample.notebook.cells, complete, strict=True) if a.source != b.source]
        assert len(changed) == 1, sample.name
        assert not sample.loses or changed == [LAB[next(iter(sample.loses))].cell]


@pytest.mark.slow
@pytest.mark.parametrize("number", MODULES)
def test_each_labs_solution_gets_all_points_and_its_stub_none_in_the_sandbox(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "samples_of", lambda lab: islice(samples_of(lab), 2))
    assert validate(find_lab(number)) == 0, capsys.readouterr()


def as_they_must(samples: list[Sample], spoil: str = "") -> Iterator[Record]:
    """Records in which every sample is graded as it must be; but `spoil` gets all its points."""
    for sample in samples:
        loses = frozenset() if sample.name == spoil else sample.loses
        results = tuple(
            ExerciseResult(e.id, e.title, e.points, e.bonus, None, "by hand", "")
            if e.check is None
            else ExerciseResult(e.id, e.title, e.points, e.bonus, 0, "failed", "x", sample.slip)
            if e.id in loses
            else ExerciseResult(e.id, e.title, e.points, e.bonus, e.points, "passed", "8 cases")
            for e in LAB.exercises
        )
        identity = record_id(sample.name)
        yield Record(identity, sample.name, "x", "", None, 4, "v", 1, "namespaces", "", results)


@pytest.mark.parametrize(("spoil", "status"), [("", 0), ("slip-4.2_circular", 1), ("stub", 1)])
def test_the_status_tells_whether_all_is_well(
    spoil: str,
    status: int,
    samples: list[Sample],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, "samples_of", lambda lab: samples)
    monkeypatch.setattr(module, "_graded", lambda samples, lab, folder, sandbox: as_they_must(samples, spoil))
    assert validate(LAB) == status
    said = capsys.readouterr().out
    assert "the solution: 84 of 84 points and 10 bonus" in said
    assert (f"{spoil}: 4.2 got 16, not 0" in said) == bool(spoil)


def test_without_a_sandbox_it_says_so(
    samples: list[Sample], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(samples: list[Sample], lab: Lab, folder: Path, sandbox: str) -> Iterator[Record]:
        raise SandboxError("no sandbox works on this machine.")

    monkeypatch.setattr(module, "samples_of", lambda lab: samples)
    monkeypatch.setattr(module, "_graded", refuse)
    assert validate(LAB) == 2
    assert "efficientlab validate: no sandbox works" in capsys.readouterr().err
