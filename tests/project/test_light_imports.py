"""Importing is light: what loads beside torch and numpy is listed here."""

from __future__ import annotations

import json
import subprocess
import sys

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


def loaded_by(*names: str) -> set[str]:
    """The modules that a fresh interpreter has after these imports, beyond those of `import torch, numpy.random`."""
    code = (
        "import torch, numpy.random, sys, json\n"
        "before = set(sys.modules)\n"
        f"for name in {names}: __import__(name)\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


def test_importing_the_package_loads_the_standard_library_alone() -> None:
    code = "import efficientlab, sys; print('torch' in sys.modules, 'numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    "names",
    [
        ["efficientlab.kernels", "efficientlab.counters"],
        [file for room in LOWER_ROOMS for file in files_of(room)],
        ["efficientlab.exercises", "efficientlab.grading"],
        list(MODULES.values()),
    ],
    ids=["kernels and counters", "every file of the lower rooms", "exercises and grading", "labs"],
)
def test_importing_a_room_or_a_lab_loads_torch_and_numpy_alone(names: list[str]) -> None:
    loaded = loaded_by(*names)
    packages = {module.partition(".")[0] for module in loaded if not module.startswith("_")}
    packages -= sys.stdlib_module_names
    assert packages - {"torch", "numpy"} <= OURS
    assert not loaded & LATER
