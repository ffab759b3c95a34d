"""What one student handed in, in a folder of its own: an autograder's, a checkout, one's own working copy."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from efficientlab.cli import main
from efficientlab.exercises.labs import find_lab
from efficientlab.grading import grade as module
from efficientlab.grading.reading.intake import Intake, take_in

LAB = find_lab(4)
NAMES = [e.check.name for e in LAB.exercises if e.check]


def notebook(*names: str, mark: str = "") -> bytes:
    cells = [f"def {name}(*a, **k):\n    return '{mark}'" for name in names]
    return json.dumps({"cells": [{"cell_type": "code", "source": s, "metadata": {}} for s in cells]}).encode()


WHOLE, TRIAL = notebook(*NAMES, mark="whole"), notebook(*NAMES[:2], mark="trial")
HANDED_IN = {
    "as Gradescope leaves it": {"lab4_tsm.ipynb": WHOLE, "scratch.ipynb": TRIAL},
    "a checkout": {
        **{"labs/lab4_tsm.ipynb": WHOLE, "labs/scratch.ipynb": TRIAL, "efficientlab/cli.py": b"x = 1"},
        **{".git/config": b"", ".github/workflows/classroom.yml": b"", "README.md": b"lab"},
    },
    "names of others": {"ann.ipynb": TRIAL, "bob/lab4_tsm.ipynb": WHOLE, "bob/notes.pdf": b"%PDF"},
    "an LMS's names": {"doe_1_2_lab4_tsm.ipynb": TRIAL, "roe_3_4_lab4_tsm.ipynb": WHOLE},
    "metadata of its own": {
        "submission_metadata.yml": b"submission_1:",
        "submission_1/lab4_tsm.ipynb": WHOLE,
    },
}


def unpacked(folder: Path, members: dict[str, bytes]) -> Path:
    for name, data in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def taken(tmp_path: Path, members: dict[str, bytes], student: str | None) -> Intake:
    return take_in(unpacked(tmp_path / "in", members), tmp_path / "out", LAB, student)


@pytest.mark.parametrize("kind", HANDED_IN)
def test_all_of_it_is_the_students_and_the_whole_notebook_counts(kind: str, tmp_path: Path) -> None:
    intake = taken(tmp_path, HANDED_IN[kind], "Zoë Müller")
    (one,) = intake.incoming
    assert one.student == "Zoë Müller" and "--student" in intake.rule
    assert b"whole" in one.path.read_bytes() and not one.refused


@pytest.mark.parametrize("members", [{}, {".DS_Store": b"x"}, {".ipynb_checkpoints/a.ipynb": WHOLE}])
def test_a_student_who_handed_in_nothing_has_a_page(members: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (one,) = taken(tmp_path, members, "ann").incoming
    assert one.refused.startswith("no notebook was handed in, only what is ")


def test_times_of_one_moment_do_not_choose_and_later_ones_do(tmp_path: Path) -> None:
    half = notebook(*NAMES[: len(NAMES) // 2 + 1], mark="trial")
    folder = unpacked(tmp_path / "in", {"lab4_tsm.ipynb": WHOLE, "zz.ipynb": half})
    for later, counts in ((3, b"whole"), (60, b"trial")):
        os.utime(folder / "lab4_tsm.ipynb", (1e9, 1e9))
        os.utime(folder / "zz.ipynb", (1e9 + later, 1e9 + later))
        (one,) = take_in(folder, tmp_path / "out", LAB, "ann").incoming
        assert counts in one.path.read_bytes()


@pytest.mark.parametrize("kind", ["as Gradescope leaves it", "a checkout"])
def test_without_the_name_it_is_said_that_one_may_be_given(kind: str, tmp_path: Path) -> None:
    notes = taken(tmp_path, HANDED_IN[kind], None).notes
    assert any("called after nobody" in note and "--student NAME" in note for note in notes)


def test_a_class_of_checkouts_is_a_class(tmp_path: Path) -> None:
    """What GitHub Classroom's `gh classroom clone student-repos` leaves, of several and of one."""
    members = {
        f"lab-4-submissions/lab-4-{name}/{path}": data
        for name in ("ann", "bob")
        for path, data in HANDED_IN["a checkout"].items()
    }
    both = taken(tmp_path, members, None)
    assert [one.student for one in both.incoming] == ["lab-4-ann", "lab-4-bob"]
    assert all(b"whole" in one.path.read_bytes() for one in both.incoming)
    alone = {path: data for path, data in members.items() if "ann" in path}
    assert [one.student for one in taken(tmp_path / "1", alone, None).incoming] == ["lab-4-ann"]


def test_the_command_hands_the_name_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "grade_batch", lambda batch, *rest, **options: iter(()))
    folder = unpacked(tmp_path / "submission", HANDED_IN["as Gradescope leaves it"])
    words = ["grade", str(folder), "--lab", "4", "--student", "submission", "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    assert [s.name for s in Intake.load(tmp_path / "out").students.values()] == ["submission"]
    assert [path.name for path in (tmp_path / "out" / "submissions").iterdir()] == ["submission.ipynb"]


@pytest.mark.parametrize(
    "words",
    [
        ["grade", "", "--out", "x"],
        ["grade", ".", "--out", ""],
        ["review", ""],
        ["check", ""],
        ["release", "--out", ""],
    ],
)
def test_a_variable_that_is_not_set_is_not_the_current_folder(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--lab", "4"])
    assert ended.value.code == 2 and "it is empty" in capsys.readouterr().err
