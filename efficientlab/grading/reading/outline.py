"""What one needs to know of a lab to read its notebooks: no torch, no check, no answer.

Notebooks are read in a process of its own (`reader`), which starts in a tenth of a second with this alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficientlab.environment import ROOT

if TYPE_CHECKING:
    from efficientlab.exercises.lab import Lab


@dataclass(frozen=True)
class Name:
    """What an exercise asks for."""

    name: str


@dataclass(frozen=True)
class Question:
    """One exercise: its id, the id of its cell, and what it asks for; None where a person reads the answer."""

    id: str
    cell: str
    check: Name | None


@dataclass(frozen=True)
class Outline:
    """A lab as its notebooks show it."""

    number: int
    slug: str
    exercises: tuple[Question, ...]

    @classmethod
    def of(cls, lab: Lab) -> Outline:
        """The outline of a lab."""
        questions = [Question(e.id, e.cell, Name(e.check.name) if e.check else None) for e in lab.exercises]
        return cls(lab.number, lab.slug, tuple(questions))

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        rows = [[q.id, q.cell, q.check and q.check.name] for q in self.exercises]
        return {"number": self.number, "slug": self.slug, "exercises": rows}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Outline:
        """Back from JSON."""
        rows = [Question(i, cell, Name(name) if name else None) for i, cell, name in raw["exercises"]]
        return cls(raw["number"], raw["slug"], tuple(rows))


def handed_out(slug: str) -> frozenset[str]:
    """The texts of the cells that students of a lab are given; empty where its notebook is not here."""
    path = ROOT / "labs" / f"{Path(slug).name}.ipynb"
    if not path.exists():
        return frozenset()
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return frozenset("".join(cell["source"]).strip() for cell in cells)
