"""Lint and types are part of the tests; so is a light import."""

import subprocess
import sys

import pytest

from efficientlab.environment import ROOT


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


def test_importing_the_package_is_light() -> None:
    code = "import efficientlab, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_importing_a_room_loads_torch_and_numpy_only() -> None:
    rooms = ["kernels", "counters", "datasets", "models", "training", "viz", "exercises", "grading"]
    heavy = [
        "matplotlib",
        "IPython",
        "ipywidgets",
        "open3d",
        "pandas",
        "rich",
        "pooch",
        "av",
        "nbgrader",
        "jupytext",
        "triton",
    ]
    code = (
        "import torch, torch.utils.flop_counter, numpy, sys\n"  # the flop counter brings triton where it is installed
        "before = set(sys.modules)\n"
        f"for room in {rooms}: __import__('efficientlab.' + room)\n"
        f"print([m for m in {heavy} if m in sys.modules and m not in before])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
