"""Importing is light: what loads beside torch and numpy is listed here."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

from efficientlab.environment import ROOT
from efficientlab.exercises.labs import MODULES

LOWER_ROOMS = ["kernels", "counters", "datasets", "models", "training", "viz"]
OURS = {"efficientlab", "safetensors"}
LATER = {"torch._dynamo", "torch._inductor", "torch.utils.flop_counter"}  # torch's own: a second or two


def files_of(room: str) -> list[str]:
    paths = sorted((ROOT / "efficientlab" / room).rglob("*.py"))
    parts = [path.relative_to(ROOT).with_suffix("").parts for path in paths]
    return [".".join(part).removesuffix(".__init__") for part in parts]


PARTS = {
    "kernels and counters": ["efficientlab.kernels", "efficientlab.counters"],
    "every file of the lower rooms": [file for room in LOWER_ROOMS for file in files_of(room)],
    "exercises and grading": ["efficientlab.exercises", "efficientlab.grading"],
    "labs": list(MODULES.values()),
}


@cache
def loaded_by_part() -> dict[str, list[str]]:
    """The modules that each part brings, one after the other, to an interpreter with torch and numpy alone."""
    code = (
        "import torch, numpy.random, sys, json\n"
        "loaded = {}\n"
        f"for part, names in {PARTS}.items():\n"
        "    before = set(sys.modules)\n"
        "    for name in names: __import__(name)\n"
        "    loaded[part] = sorted(set(sys.modules) - before)\n"
        "print(json.dumps(loaded))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded: dict[str, list[str]] = json.loads(run.stdout)
    return loaded


def test_importing_the_package_loads_the_standard_library_alone() -> None:
    code = "import efficientlab, sys; print('torch' in sys.modules, 'numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("part", PARTS)
def test_importing_a_room_or_a_lab_loads_torch_and_numpy_alone(part: str) -> None:
    loaded = set(loaded_by_part()[part])
    packages = {module.partition(".")[0] for module in loaded if not module.startswith("_")}
    packages -= sys.stdlib_module_names
    assert packages - {"torch", "numpy"} <= OURS
    assert not loaded & LATER
