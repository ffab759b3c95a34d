"""Which cells each answer needs: found once, where a notebook is read, for the boxes that will run them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.reading.statements import (
    Reach,
    Slicer,
    Statement,
    kept_statements,
    parse_statements,
)


@dataclass(frozen=True)
class Needs:
    """The positions of the cells that an answer depends on, by how far one looks.

    `statements` are the places, in each of `cells`, of the statements that it needs, where that was found. `wide` are
    the cells that may matter too, where they are more; `above` those with all others above that the student wrote,
    where these may change what the answer uses in a way that cannot be seen.
    """

    cells: tuple[int, ...]
    wide: tuple[int, ...] = ()
    above: tuple[int, ...] = ()
    statements: tuple[tuple[int, ...], ...] = ()

    def of(self, reach: Reach) -> tuple[int, ...]:
        """The positions for one reach."""
        return self.cells if reach == "needs" else self.wide if reach == "wide" else self.above


def needs_of(
    cells: Sequence[Cell], names: Mapping[str, str], handed_out: frozenset[str] = frozenset()
) -> dict[str, Needs]:
    """What the answer to each exercise needs, by its id; `names` are what the exercises ask for.

    Cells that were `handed_out` change nothing unseen: the lab's own answers do without them.
    """
    own = {i for i, cell in enumerate(cells) if cell.source.strip() not in handed_out}
    statements: list[Statement] = []
    for position, cell in enumerate(cells):
        parse = parse_statements if position in own else kept_statements
        try:
            statements += parse(position, cell.source, f"<cell {cell.number}>")
        except SyntaxError:
            continue  # it will be named where it is run
    slicer = Slicer(statements, own)
    found = {}
    for exercise_id, name in names.items():
        mine = [i for i, cell in enumerate(cells) if exercise_id in cell.exercises]
        defining = [s.cell for s in statements if s.cell in mine and name in s.binds]
        if not mine:
            continue
        if not defining:
            found[exercise_id] = Needs(tuple(mine))
            continue
        last = defining[-1]
        narrow = slicer.needed_by(name, last)
        wide = slicer.needed_by(name, last, "wide")
        needed = {s.cell for s in narrow}
        places = {position: [s.place for s in narrow if s.cell == position] for position in {*mine, *needed}}
        more = {s.cell for s in wide} | {*mine} if len(wide) > len(narrow) else ()
        beside = slicer.beside(name, last, own)
        above = beside | {*mine} if beside else ()
        picks = tuple(tuple(places[position]) for position in sorted(places))
        rows = [tuple(sorted(part)) for part in (places, more, above)]
        found[exercise_id] = Needs(rows[0], rows[1], rows[2], picks)
    return found
