"""Which cells each answer needs: found once, where a notebook is read, for the boxes that will run them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.reading.statements import Slicer, Statement, parse_statements


@dataclass(frozen=True)
class Needs:
    """The positions of the cells that an answer depends on; `wide` those that may matter too, where they are more."""

    cells: tuple[int, ...]
    wide: tuple[int, ...] = ()


def needs_of(cells: Sequence[Cell], names: Mapping[str, str]) -> dict[str, Needs]:
    """What the answer to each exercise needs, by its id; `names` are what the exercises ask for."""
    statements: list[Statement] = []
    for position, cell in enumerate(cells):
        try:
            statements += parse_statements(position, cell.source, f"<cell {cell.number}>")
        except SyntaxError:
            continue  # it will be named where it is run
    slicer = Slicer(statements)
    found = {}
    for exercise_id, name in names.items():
        mine = [i for i, cell in enumerate(cells) if exercise_id in cell.exercises]
        defining = [s.cell for s in statements if s.cell in mine and name in s.binds]
        if not mine:
            continue
        narrow = slicer.needed_by(name, defining[-1]) if defining else []
        wide = slicer.needed_by(name, defining[-1], wide=True) if defining else []
        more = {s.cell for s in wide} | {*mine} if len(wide) > len(narrow) else ()
        found[exercise_id] = Needs(tuple(sorted({*mine, *(s.cell for s in narrow)})), tuple(sorted(more)))
    return found
