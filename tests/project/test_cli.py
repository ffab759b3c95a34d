"""The command line: help that teaches, and one clear sentence for a mistake."""

import argparse
import errno
import subprocess
import sys
from pathlib import Path

import pytest

from efficientlab import cli, demo
from efficientlab.cli.options import lab_number
from efficientlab.environment import ROOT
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.record import ExerciseResult, Record

[VERBS] = [
    list(action.choices)
    for action in cli._parser()._actions
    if isinstance(action, argparse._SubParsersAction)
]


def run(*arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "efficientlab", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_help_shows_every_verb_and_examples() -> None:
    result = run("--help")
    assert result.returncode == 0
    for verb in VERBS:
        assert f"efficientlab {verb}" in result.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main([verb, "--help"])
    said = capsys.readouterr().out
    assert f"usage: efficientlab {verb}" in said
    if verb not in ("demo", "test"):  # which say it in their one sentence
        assert f"  efficientlab {verb}" in said.partition("examples:")[2]


def test_the_help_of_grade_says_what_comes_out(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["grade", "--help"])
    text = capsys.readouterr().out
    for part in ("index.html", "canvas.csv", "results.json", "examples:", "--scheduler tcp://"):
        assert part in text


def test_help_needs_nothing_but_the_standard_library() -> None:
    result = subprocess.run(
        [sys.executable, "-S", "-m", "efficientlab", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("not json", "this is not a notebook"),
        ("{}", "no list of cells"),
        ('{"cells": []}', "no exercise of lab 4 is in this notebook"),
        (None, "there is no such file"),
    ],
)
def test_a_bad_submission_gets_one_sentence_that_names_it(
    tmp_path: Path, content: str | None, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit, match="1"):
        cli.main(["check", str(path), "--lab", "4"])
    said = capsys.readouterr().err
    assert f"{path}: " in said
    assert sentence in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_the_command_ends_with_the_status_of_its_verb(tmp_path: Path) -> None:
    result = run("check", str(tmp_path / "none.ipynb"), "--lab", "99")
    assert result.returncode == 2
    assert result.stderr.startswith("efficientlab check: there is no lab 99; there are labs 0, 1, ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("grade", "none.zip", "--lab", "4", "--out", "g"), "there is no such file or folder"),
        (("grade", "x", "--lab", "99", "--out", "g"), "there is no lab 99"),
        (("grade", "x", "--lab", "4", "--out", "g", "--seed", "9" * 30), "is no seed"),
        (("grade", "x", "--lab", "4", "--out", "g", "--engine", "dask"), "needs --scheduler"),
        (("check", "x", "--lab", "4", "--seed", "-1"), "is no seed"),
        (("check", "x", "--lab", "four"), "names no lab"),
        (("check", "x", "--lab", "4", "--wrong"), "check does not know --wrong"),
        (("check", "x", "--lab", "4", "--exercise", "9.9"), "code checks no exercise 9.9"),
        (("review", "nowhere", "--lab", "4"), "holds no records; run efficientlab grade first"),
        (("release", "--lab", "4", "--out", "docs"), "docs is there already"),
        (("build", "lab99_none"), "there is no lab 99"),
        (("build", "tsm"), "names no lab"),
    ],
)
def test_a_mistake_gets_one_sentence_and_status_2(
    arguments: tuple[str, ...],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    with pytest.raises(SystemExit) as stopped:
        cli.main(list(arguments))
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(("text", "number"), [("4", 4), ("lab4", 4), ("lab4_tsm", 4), ("lab10_x_y", 10)])
def test_a_lab_is_named_by_number_or_by_slug(text: str, number: int) -> None:
    assert lab_number(text) == number


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["test", "-k", "shift"], ["-k", "shift"]),
        (["test", "tests/kernels", "-x", "--maxfail", "3"], ["tests/kernels", "-x", "--maxfail", "3"]),
        (["test", "--", "-k", "shift"], ["-k", "shift"]),
    ],
)
def test_what_test_does_not_know_goes_to_pytest(
    arguments: list[str], command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert becomes(arguments, monkeypatch)[-len(command) :] == command


def test_all_tests_run_side_by_side_and_the_quick_ones_leave_notebooks_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, quick = (becomes(["test", *more], monkeypatch) for more in ([], ["--quick"]))
    assert {"tests", "solutions", "--nbval-lax"} <= set(whole)
    assert "tests" in quick and "solutions" not in quick and "not slow" in quick
    assert any(word.startswith("--numprocesses=") for word in whole)
    assert "Lint, types, units, mutants and every notebook" in capsys.readouterr().out


def becomes(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The program that a verb goes on as."""
    called: list[list[str]] = []
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(cli, "provide", lambda verb: None)
    for verb in (cli.lab, cli.test):
        monkeypatch.setattr(verb, "become", lambda command, **variables: called.append(command))
    with pytest.raises(SystemExit):
        cli.main(arguments)
    return called[0] if called else []


def test_what_lab_does_not_know_goes_to_jupyter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    command = becomes(["lab", "--no-browser", "--port", "9000", "--ServerApp.token=x"], monkeypatch)
    assert command[1:-1] == ["-m", "jupyterlab", "--no-browser", "--port", "9000", "--ServerApp.token=x"]
    assert command[-1] == str(ROOT / "labs")


@pytest.mark.parametrize("word", ["4", "lab4", "labs/lab4_tsm.ipynb"])
def test_lab_opens_one_notebook(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    command = becomes(["lab", word, "--port", "9000"], monkeypatch)
    assert command[1:] == ["-m", "jupyterlab", "--port", "9000", str(ROOT / "labs" / "lab4_tsm.ipynb")]


@pytest.mark.parametrize("word", ["99", "none.ipynb"])
def test_lab_says_where_there_is_no_such_notebook(
    word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert becomes(["lab", word], monkeypatch) == []
    assert f"there is no lab and no notebook {word}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (OSError(errno.EROFS, "Read-only file system", "build"), 2, "demo: build: Read-only file system"),
        (OSError(errno.ENOSPC, "No space left on device", "g/x"), 2, "demo: g/x: No space left on device"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "g/x"), 2, "demo: g/x: Disk quota exceeded"),
        (KeyboardInterrupt(), 130, "demo: stopped"),
    ],
)
def test_what_the_reader_can_mend_is_a_sentence(
    error: BaseException,
    status: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> int:
        raise error

    monkeypatch.setattr(demo, "demo", fail)
    monkeypatch.setattr(cli, "provide", lambda verb: None)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["demo"])
    assert stopped.value.code == status
    assert f"efficientlab {sentence}" in capsys.readouterr().err


def test_lab_as_root_says_what_to_add(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert becomes(["lab"], monkeypatch) == []
    assert "efficientlab lab --allow-root" in capsys.readouterr().err
    assert "--allow-root" in becomes(["lab", "--allow-root"], monkeypatch)


def test_the_package_s_folder_can_be_run_from_anywhere(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "efficientlab"), "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("efficientlab "), done.stderr


@pytest.mark.parametrize(("complete", "status"), [(True, 0), (False, 1)])
def test_the_demo_fails_where_a_sample_does_not_get_its_points(
    complete: bool, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = find_lab(4)

    def graded(source: Path, lab: Lab, out: Path, **more: object) -> int:
        lost = demo.write_samples(lab, source)
        for name, exercises in lost.items():
            results = [
                ExerciseResult(
                    e.id,
                    e.title,
                    e.points,
                    e.bonus,
                    None
                    if e.check is None
                    else 0
                    if e.id in exercises or (name == "complete" and not complete)
                    else e.points,
                    "failed",
                    "",
                )
                for e in lab.exercises
            ]
            Record(name, name, "x", "", None, 4, "", 1, "none", "", tuple(results)).save(out)
        return 0

    monkeypatch.setattr(demo, "grade", graded)
    assert demo.grade_samples(lab, tmp_path) == status


@pytest.mark.slow
def test_an_autograder_is_told_by_the_status_whether_an_exercise_is_solved(tmp_path: Path) -> None:
    lab = find_lab(4)
    demo.write_samples(lab, tmp_path)
    for exercise, status in (("4.1", 0), ("4.2", 1)):
        with pytest.raises(SystemExit) as stopped:
            cli.main(["check", str(tmp_path / "wrong-direction.ipynb"), "--lab", "4", "--exercise", exercise])
        assert stopped.value.code == status
