"""The command line: help that teaches, and one clear sentence for a mistake."""

import subprocess
import sys
from pathlib import Path

import pytest

from efficientlab.environment import ROOT


def run(*arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "efficientlab", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_help_shows_every_verb_and_examples() -> None:
    result = run("--help")
    assert result.returncode == 0
    for verb in ("demo", "lab", "test", "check", "build"):
        assert f"efficientlab {verb}" in result.stdout


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
    ],
)
def test_a_bad_submission_gets_one_sentence_that_names_it(
    tmp_path: Path, content: str, sentence: str
) -> None:
    path = tmp_path / "mine.ipynb"
    path.write_text(content)
    result = run("check", str(path), "--lab", "4")
    assert result.returncode == 1
    assert f"{path}: " in result.stderr
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_file_and_an_unknown_lab_are_named(tmp_path: Path) -> None:
    result = run("check", str(tmp_path / "none.ipynb"), "--lab", "4")
    assert result.returncode == 1
    assert "there is no such file" in result.stderr
    result = run("check", str(tmp_path / "none.ipynb"), "--lab", "99")
    assert result.returncode == 2
    assert "there is no lab 99" in result.stderr
