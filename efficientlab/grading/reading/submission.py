"""Read a notebook that a student handed in: JSON with limits, exercises found by metadata or by name.

Nothing here runs the student's code. Colab, VS Code and copy-paste lose cell metadata, so an answer is a code
cell that carries the exercise's nbgrader id, or that defines the name which the exercise asks for. An answer that a
person reads is found by its id, or below the exercise's heading.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficientlab.grading.reading.borrowed import imports
from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.reading.magics import plain_python
from efficientlab.grading.reading.needs import Needs, needs_of
from efficientlab.grading.reading.notebook import RawCell, SubmissionError, load_notebook, raw_cells
from efficientlab.grading.reading.statements import bound_names, parse_cell
from efficientlab.grading.reading.written import Answer, written_answer

if TYPE_CHECKING:
    from efficientlab.exercises.lab import Lab
    from efficientlab.grading.reading.outline import Outline

__all__ = ["Cell", "Submission", "SubmissionError", "parse_notebook", "read_submission"]

MAX_NOTES = 20
MAX_CELL = 100_000  # characters of one code cell: its syntax tree takes a thousand times as many bytes
MAX_CODE = 300_000  # characters of all code cells


@dataclass(frozen=True)
class Submission:
    """A notebook's code cells, the answers that a person reads (by exercise id), and what was unusual about it.

    `needs` says which cells an answer depends on, by exercise id; `misplaced` where an answer stands that is no code;
    `imported` what a cell imports of this package, by the cell's number; `untouched` which exercises hold the stub that
    was handed out. All was found without running anything.
    """

    path: Path
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = field(default=())
    written: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, tuple[tuple[str, str, str], ...]] = field(default_factory=dict)
    needs: Mapping[str, Needs] = field(default_factory=dict)
    misplaced: Mapping[str, str] = field(default_factory=dict)
    imported: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    untouched: frozenset[str] = frozenset()

    def answers(self, exercise_id: str) -> list[Cell]:
        """The cells that answer one exercise, in notebook order; of two definitions the last one counts."""
        return [cell for cell in self.cells if exercise_id in cell.exercises]

    def to_json(self) -> dict[str, Any]:
        """As JSON, for another process."""
        return {**asdict(self), "path": str(self.path), "untouched": sorted(self.untouched)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Submission:
        """Back from JSON."""
        return cls(
            Path(raw["path"]),
            tuple(Cell(c["number"], c["source"], tuple(c["exercises"])) for c in raw["cells"]),
            tuple(raw["notes"]),
            dict(raw["written"]),
            {e: tuple((n, k, d) for n, k, d in found) for e, found in raw["pictures"].items()},
            {e: _needs(n) for e, n in raw["needs"].items()},
            dict(raw["misplaced"]),
            {int(number): tuple(names) for number, names in raw["imported"].items()},
            frozenset(raw["untouched"]),
        )


def read_submission(path: Path, lab: Lab | Outline, handed_out: frozenset[str] = frozenset()) -> Submission:
    """Read `path` as a submission of `lab`; `SubmissionError` if it is no notebook or answers nothing.

    `handed_out` are the texts of the cells that students got: they tell a written answer from what is around it.
    """
    return parse_notebook(load_notebook(path), lab, path, handed_out)


def parse_notebook(
    notebook: Any, lab: Lab | Outline, path: Path, handed_out: frozenset[str] = frozenset()
) -> Submission:
    """Find the exercises of `lab` in a notebook's JSON."""
    raw, notes = raw_cells(notebook, path)
    raw, misplaced, moved = _as_code(raw, lab)
    notes += moved
    found = _code_cells(raw, lab, notes, misplaced, handed_out)
    code = _without_stubs(_without_checks(found), handed_out)
    answers = {e.id: written_answer(e.cell, e.id, raw, handed_out) for e in lab.exercises if e.check is None}
    if not misplaced and not any(c.exercises for c in code) and all(a == Answer() for a in answers.values()):
        wanted = ", ".join(f"{e.check.name} ({e.id})" for e in lab.exercises if e.check)
        raise SubmissionError(
            f"{path}: no exercise of lab {lab.number} is in this notebook; it would define {wanted}."
        )
    if len(notes) > MAX_NOTES:
        notes = [*notes[:MAX_NOTES], f"{len(notes) - MAX_NOTES} more lines of this kind were skipped"]
    asked = {e.id: e.check.name for e in lab.exercises if e.check}
    started = {e for c in code if not _is_stub(c.source, handed_out) for e in c.exercises}
    return Submission(
        path,
        tuple(code),
        tuple(f"{note}." for note in notes),
        {e: answer.text for e, answer in answers.items()},
        {e: answer.pictures for e, answer in answers.items() if answer.pictures},
        needs_of(code, asked, handed_out),
        misplaced,
        {cell.number: names for cell in code if (names := _imported(cell.source, handed_out))},
        frozenset({e for c in code for e in c.exercises} - started),
    )


def _is_stub(source: str, handed_out: frozenset[str]) -> bool:
    """Whether a cell is a stub, as it was handed out or formatted since: it raises where it is called."""
    if "NotImplementedError" not in source:
        return False
    return source.strip() in handed_out or _tree(source) in _stubs(handed_out)


@lru_cache(256)
def _tree(source: str) -> str:
    """What a cell says beside its comments and format; nothing where it does not parse."""
    try:
        return "".join(map(ast.dump, parse_cell(source)))
    except SyntaxError:
        return ""


@lru_cache(8)
def _stubs(handed_out: frozenset[str]) -> frozenset[str]:
    return frozenset(_tree(text) for text in handed_out if "raise NotImplementedError(" in text) - {""}


def _code_cells(
    raw: Sequence[RawCell],
    lab: Lab | Outline,
    notes: list[str],
    misplaced: dict[str, str],
    handed_out: frozenset[str],
) -> list[tuple[Cell, bool]]:
    """The code cells with the exercises that they answer, and whether each is one of the instructor's checks.

    An answer below a magic that does not run it is `misplaced`.
    """
    found = []
    read = 0
    for cell in raw:
        if cell.kind != "code":
            continue
        if len(cell.source) > MAX_CELL or read + len(cell.source) > MAX_CODE:
            size = f"{len(cell.source):,} characters"
            notes.append(f"cell {cell.number} was not read, as it has {size}: keep data in a file")
            continue
        read += len(cell.source)
        known = cell.source.strip() in handed_out
        source, skipped = (_kept_python if known else plain_python)(cell.source)
        where = f"cell {cell.number}"
        notes += [f"{where} {note}" if note.startswith("is ") else f"{where}, {note}" for note in skipped]
        if not source and skipped:
            lost = [e.id for e in lab.exercises if e.check and _seems_to_define(e.check.name, cell.source)]
            misplaced |= dict.fromkeys(lost, f"{where} {skipped[0]}: take its first line away")
        names = (_kept_names if known else _defined_names)(source)
        answered = tuple(
            exercise.id
            for exercise in lab.exercises
            if exercise.check and (exercise.cell in cell.ids or exercise.check.name in names)
        )
        found.append((Cell(cell.number, source, answered), any(i.startswith("check-") for i in cell.ids)))
    return found


def _as_code(cells: Sequence[RawCell], lab: Lab | Outline) -> tuple[list[RawCell], dict[str, str], list[str]]:
    """The cells, with answers that became text read as code; what is no code all the same; and notes on both."""
    wanted = [(e.id, e.cell, e.check.name) for e in lab.exercises if e.check]
    kept = list(cells)
    misplaced: dict[str, str] = {}
    notes: list[str] = []
    became_text = [
        (i, exercise_id, name, defines)
        for i, cell in enumerate(cells)
        if cell.kind != "code"
        for exercise_id, cell_id, name in wanted
        if (defines := _seems_to_define(name, cell.source)) or cell_id in cell.ids
    ]
    if not became_text:
        return kept, misplaced, notes
    given = {name for c in cells if c.kind == "code" for name in _defined_names(plain_python(c.source)[0])}
    for i, exercise_id, name, defines in became_text:
        if name in given:
            continue
        cell = cells[i]
        kind = "a Markdown" if cell.kind == "markdown" else "a raw"
        if defines and _is_python(cell.source):
            kept[i] = replace(cell, kind="code")
            notes.append(f"cell {cell.number} is {kind} cell and was read as code: make it a code cell")
        else:
            misplaced[exercise_id] = f"cell {cell.number} is {kind} cell: make it a code cell"
    return kept, misplaced, notes


def _seems_to_define(name: str, text: str) -> bool:
    found = re.search(rf"^(?:(?:async[ \t]+)?def|class)[ \t]+{name}\b|^{name}[ \t]*=", text, re.M)
    return found is not None


def _is_python(text: str) -> bool:
    try:
        return bool(parse_cell(plain_python(text)[0]))
    except SyntaxError:
        return False


def _without_checks(found: list[tuple[Cell, bool]]) -> list[Cell]:
    """The cells without the instructor's checks, which students edit and delete; one that took an answer in counts."""
    elsewhere = {exercise for cell, is_check in found if not is_check for exercise in cell.exercises}
    kept = []
    for cell, is_check in found:
        mine = tuple(e for e in cell.exercises if e not in elsewhere) if is_check else cell.exercises
        if mine or not is_check:
            kept.append(Cell(cell.number, cell.source, mine))
    return kept


def _without_stubs(cells: Sequence[Cell], handed_out: frozenset[str]) -> list[Cell]:
    """The cells without untouched stubs of what is answered in another cell: whoever wrote above one left it there."""
    written = {e for cell in cells if not _is_stub(cell.source, handed_out) for e in cell.exercises}
    return [c for c in cells if not (_is_stub(c.source, handed_out) and written.issuperset(c.exercises))]


def _needs(raw: Mapping[str, Any]) -> Needs:
    statements = tuple(tuple(places) for places in raw["statements"])
    return Needs(tuple(raw["cells"]), tuple(raw["wide"]), tuple(raw["above"]), statements)


def _imported(code: str, handed_out: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(set((_kept_imports if code.strip() in handed_out else imports)(code))))


def _defined_names(code: str) -> set[str]:
    """Names that the cell defines at its top level; read by pattern where the cell does not parse.

    What is deleted there is not defined: a `del` far below the answer is no other answer.
    """
    try:
        kept = [node for node in parse_cell(code) if not isinstance(node, ast.Delete)]
        return {name for node in kept for name in bound_names(node)}
    except SyntaxError:
        found = re.findall(r"^(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|^(\w+)[ \t]*=[^=]", code, re.M)
        return {defined or assigned for defined, assigned in found}


# for the cells that were handed out, which every notebook of a class holds
_kept_python = lru_cache(256)(plain_python)
_kept_names = lru_cache(256)(_defined_names)
_kept_imports = lru_cache(256)(lambda code: tuple(imports(code)))
