"""Lint and types are part of the tests."""

import re
import subprocess
import sys
from importlib.metadata import version

import pytest

from efficientlab.environment import ROOT

PINS = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M))
JUDGES = ("ruff", "mypy", "torch", "numpy", "matplotlib")
"""Programs and packages whose release decides what the static checks say, as a library's types change with it."""


@pytest.mark.skipif(
    any(version(name).partition("+")[0] != PINS[name].partition("+")[0] for name in JUDGES),
    reason="the static checks hold for the releases in constraints.txt",
)
@pytest.mark.parametrize(
    "command",
    [["ruff", "format", "--check", "."], ["ruff", "check", "."], ["mypy"]],
    ids=["format", "lint", "types"],
)
def test_static_checks_pass(command: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_two_test_files_have_one_name() -> None:
    """Python would import the first of them twice, and pytest would collect neither."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)
