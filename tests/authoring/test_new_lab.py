"""The skeleton of a new lab builds and passes the tests that every lab passes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from efficientlab.authoring.new_lab import TABLE, NewLabError, new_lab
from efficientlab.environment import ROOT


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a lab's tests read, with no other lab in the table, so that they run for the new one alone."""
    copy = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for name in ("efficientlab", "tests/notebooks", "tests/mutants", "data"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "tests/conftest.py"):
        shutil.copyfile(ROOT / name, copy / name)
    for name in ("solutions", "labs", "docs"):
        (copy / name).mkdir()
    table = copy / TABLE
    table.write_text(
        re.sub(r"^    \d+: .*\n", "", table.read_text(encoding="utf-8"), flags=re.M), encoding="utf-8"
    )
    return copy


def run(checkout: Path, *command: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.slow
def test_the_skeleton_builds_and_passes_the_tests_of_every_lab(checkout: Path) -> None:
    written = new_lab(checkout, 8, "depth")
    assert "solutions/lab8_depth.py" in written
    assert all((checkout / name).is_file() for name in written)
    assert "executed" in run(checkout, "efficientlab", "build", "8")
    tests = run(checkout, "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "tests")
    assert " passed" in tests
    assert "failed" not in tests
    run(checkout, "ruff", "check", "efficientlab", "tests", "solutions")
    run(checkout, "ruff", "format", "--check", "efficientlab", "tests", "solutions")


def test_what_is_there_already_is_kept(tmp_path: Path) -> None:
    table = tmp_path / TABLE
    table.parent.mkdir(parents=True)
    shutil.copyfile(ROOT / TABLE, table)
    before = table.read_text(encoding="utf-8")
    for number, slug, sentence in (
        (4, "depth", "there is a lab 4 already"),
        (98, "Depth", "is no slug"),
        (98, "../x", "is no slug"),
    ):
        with pytest.raises(NewLabError, match=sentence):
            new_lab(tmp_path, number, slug)
    mine = tmp_path / "solutions" / "lab98_depth.py"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(NewLabError, match=r"solutions/lab98_depth\.py is there already"):
        new_lab(tmp_path, 98, "depth")
    assert table.read_text(encoding="utf-8") == before
    assert mine.read_text() == "mine"
    assert sorted(p.name for p in tmp_path.rglob("*.py")) == ["lab98_depth.py", "labs.py"]
