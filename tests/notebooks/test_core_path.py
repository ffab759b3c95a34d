"""The minutes that a lab states for its core path are those that its exercises and its text take."""

from __future__ import annotations

import re

import nbformat
import pytest
from core_path import by_section, core_sections, left_out

from efficientlab.authoring.colab import is_setup
from efficientlab.authoring.site.labs import core_minutes
from efficientlab.environment import ROOT
from efficientlab.exercises.labs import MODULES, find_lab

WORDS_A_MINUTE = 200
RUNS = 10  # minutes at most that nothing is read or written while a lab computes


@pytest.mark.parametrize("number", MODULES)
def test_the_core_path_s_minutes_are_those_of_its_exercises_and_its_text(number: int) -> None:
    """An exercise's minutes count its own text; of the other cells' code a student reads some, or all, or nothing."""
    lab = find_lab(number)
    if lab.draft:
        pytest.skip(f"lab {number} is a draft: it need not say yet what its core path is")
    core, beside = core_sections(lab), left_out(lab)
    exercises, words = set(), {"markdown": 0, "code": 0}
    for section, text, cell in by_section(nbformat.read(ROOT / "labs" / f"{lab.slug}.ipynb", 4).cells):
        heading = re.match(r"### Exercise (\S+) ·", text)
        if section in core and heading:
            exercises.add(heading[1])
        elif section in core and "nbgrader" not in cell.metadata and not is_setup(cell):
            words[cell.cell_type] += len(text.split())
    writing = sum(e.minutes for e in lab.exercises if e.id in exercises - beside and not e.bonus)
    assert exercises and beside <= exercises
    least = writing + words["markdown"] / WORDS_A_MINUTE
    most = least + words["code"] / WORDS_A_MINUTE + RUNS
    assert least <= core_minutes(lab) <= most, f"{writing} minutes of exercises, {words} words to read"
