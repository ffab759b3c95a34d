"""A student who is stuck can go on: a section that builds on an unsolved exercise says so, and the rest runs.

Read off the source: a name that an answer defines *needs* that exercise, and so does every name that is made from
it. A cell that uses such a name, and is neither an answer nor a check, must say `lab.needs(…)` with all of them,
or look at `lab.passed`. And whoever leaves out a section that the lab lets one leave out misses no name of it.
"""

from __future__ import annotations

import ast

import pytest
from core_path import by_section, core_sections
from nbformat import NotebookNode

from efficientlab.authoring.build import source_path
from efficientlab.authoring.site.labs import how_to_work
from efficientlab.authoring.source import read_source
from efficientlab.exercises.labs import MODULES, find_lab


def targets(comprehension: ast.comprehension) -> list[ast.Name]:
    return [n for n in ast.walk(comprehension.target) if isinstance(n, ast.Name)]


def names(source: str) -> tuple[set[str], set[str], set[str]]:
    """(names that a cell takes from cells before it, names that it defines, exercises in its `lab.needs`)."""
    tree = ast.parse(source)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.Lambda)]
    inner = {n for f in functions for n in ast.walk(f)}
    loaded, stored = {}, {}
    for n in ast.walk(tree):
        if isinstance(n, ast.Name):
            lines = loaded if isinstance(n.ctx, ast.Load) else stored
            lines.setdefault(n.id, []).append(n.lineno)
    own = {a.arg for f in functions for a in ast.walk(f.args) if isinstance(a, ast.arg)}
    own |= {n.id for n in inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {n.id for c in ast.walk(tree) if isinstance(c, ast.comprehension) for n in targets(c)}
    used = {
        name
        for name, lines in loaded.items()
        if name not in own and not (name in stored and min(stored[name]) < min(lines))
    }
    made = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n not in inner} & stored.keys()
    made |= {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    said = {
        argument.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and ast.unparse(n.func) == "lab.needs"
        for argument in n.args
        if isinstance(argument, ast.Constant)
    }
    return used, made, said


def imported(source: str) -> set[str]:
    return {
        alias.asname or alias.name.partition(".")[0]
        for n in ast.walk(ast.parse(source))
        if isinstance(n, ast.Import | ast.ImportFrom)
        for alias in n.names
    }


def exercise_of(cell: NotebookNode) -> str | None:
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    return grade_id.removeprefix("ex-").replace("-", ".") if grade_id.startswith("ex-") else None


@pytest.mark.parametrize("number", MODULES)
def test_a_cell_says_which_exercises_it_needs(number: int) -> None:
    lab = find_lab(number)
    needs: dict[str, set[str]] = {}  # of every name so far
    missing = []
    for i, cell in enumerate(read_source(source_path(lab), lab).cells):
        if cell.cell_type != "code":
            continue
        used, made, said = names(cell.source)
        solved = exercise_of(cell)
        if solved:
            check = lab[solved].check
            assert check is not None
            needs[check.name] = {solved}
            continue
        if "check" in cell.metadata.get("nbgrader", {}).get("grade_id", "") or "lab.passed" in cell.source:
            continue
        wanted = set().union(*(needs.get(name, set()) for name in used))
        if wanted - said:
            missing.append(f"cell {i} must say lab.needs for {sorted(wanted - said)}:\n{cell.source[:200]}")
        for name in made:  # a name that was there before without an exercise has something to fall back on
            needs.setdefault(name, wanted | said)
    assert not missing, "\n\n".join(missing)


@pytest.mark.parametrize("number", MODULES)
def test_a_section_that_is_left_out_is_not_missed(number: int) -> None:
    lab = find_lab(number)
    if lab.draft:
        pytest.skip(f"lab {number} is a draft: it need not say yet what its core path is")
    core, further = core_sections(lab), set[int]()
    any_order = "in any order" in " ".join(how_to_work(lab).split())
    homes: dict[str, set[int]] = {}  # of every name, the sections that make it
    missing = []
    for section, source, cell in by_section(read_source(source_path(lab), lab).cells):
        if cell.cell_type != "code":
            continue
        used, made, _ = names(source)
        made |= imported(source)
        there = core | {section} | (set() if section in core or any_order else further)
        lost = sorted(name for name in used - made if not homes.get(name, there) & there)
        if lost:
            missing.append(f"section {section} takes {', '.join(lost)} from what one may leave out")
        for name in made:
            homes.setdefault(name, set()).add(section)
        further.add(section)
    assert homes and not missing, "\n".join(missing)
