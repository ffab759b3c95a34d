"""What stands beside trained weights: the command that made them, its settings, how the losses went, what came out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import torch

from efficientlab.files import write_text


class Logged(Protocol):
    """A run of a GAN."""

    @property
    def losses(self) -> Mapping[str, Sequence[float]]: ...  # by term, one a step, or fewer at even distances
    @property
    def cpu_seconds(self) -> float: ...


def write_log(path: Path, command: str, run: Logged, every: int, **facts: object) -> None:
    """Write the log of a run as JSON: its losses as means of `every` steps, and all that is known by `facts`."""
    steps = max(map(len, run.losses.values()))
    log = {
        "command": command,
        "torch": torch.__version__,
        **facts,
        "cpu_seconds": round(run.cpu_seconds),
        f"losses, means of {every} steps": {
            name: means(values, max(1, round(len(values) * every / steps)))
            for name, values in run.losses.items()
        },
    }
    write_text(path, json.dumps(log, indent=1) + "\n")


def means(values: Sequence[float], size: int) -> list[float]:
    """The means of `size` values after another, of the last ones that there are."""
    parts = (values[i : i + size] for i in range(0, len(values), size))
    return [round(sum(part) / len(part), 4) for part in parts]
