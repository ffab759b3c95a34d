"""What is committed in labs/ and solutions/: built from the source, complete, and without answers for students.

The solutions are executed and compared by nbval (`pytest --nbval-lax solutions`); these tests guard what nbval
does not see.
"""

from __future__ import annotations

import re
from functools import cache

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator

from efficientlab.authoring import build
from efficientlab.authoring.build import MAX_SOLUTION_BYTES, cover_picture, source_path
from efficientlab.environment import ROOT
from efficientlab.exercises import goldens
from efficientlab.exercises.labs import MODULES, find_lab

MAX_PICTURE_BYTES = 200_000  # of base64 in one notebook


@cache
def student(number: int) -> NotebookNode:
    return nbformat.read(ROOT / "labs" / f"{find_lab(number).slug}.ipynb", 4)


@cache
def solution(number: int) -> NotebookNode:
    return nbformat.read(ROOT / "solutions" / f"{find_lab(number).slug}.ipynb", 4)


def skip_drafts(number: int) -> None:
    if find_lab(number).draft:
        pytest.skip(f"lab {number} is a draft: it need not be whole yet")


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


pytestmark = pytest.mark.parametrize("number", MODULES)


@pytest.mark.slow
def test_what_is_committed_is_what_the_source_builds(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the recorded cases: `tests/mutants` looks at them, exercise by exercise."""
    monkeypatch.setattr(build, "record_cases", lambda solution, lab: goldens.load(lab.slug))
    assert build.stale(find_lab(number)) == []


def test_the_student_notebook_holds_no_line_of_a_solution(number: int) -> None:
    source = source_path(find_lab(number)).read_text()
    regions = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", source, re.S)
    lines = {line.strip() for region in regions for line in region.splitlines()}
    lines |= {
        line.removeprefix("# ").strip()
        for scheme in re.findall(r'answer="[\d.]+"\n(.*?=== END MARK SCHEME ===)', source, re.S)
        for line in scheme.splitlines()
    }
    secret = {line for line in lines if len(line) > 12}
    assert len(secret) >= (2 if find_lab(number).draft else 60)
    for cell in student(number).cells:
        shared = secret & {line.strip() for line in cell.source.splitlines()}
        assert not shared, f"cell {cell.id} gives away: {shared}"


def test_students_write_at_least_sixty_lines(number: int) -> None:
    skip_drafts(number)
    source = source_path(find_lab(number)).read_text()
    regions = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", source, re.S)
    lines = [line for region in regions for line in region.splitlines() if line.strip()]
    assert len([line for line in lines if not line.strip().startswith("#")]) >= 60


def test_the_student_notebook_has_no_outputs(number: int) -> None:
    assert all(not cell.outputs and cell.execution_count is None for cell in code(student(number)))


@pytest.mark.slow
def test_the_student_notebook_stops_at_its_first_stub_with_a_sentence(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFICIENTLAB_PROFILE", "ci")
    notebook = nbformat.from_dict(student(number))
    client = NotebookClient(notebook, timeout=3600, resources={"metadata": {"path": str(ROOT / "labs")}})
    with pytest.raises(CellExecutionError) as stopped:
        client.execute()
    first = next(e for e in find_lab(number).exercises if e.check)
    assert first.check is not None
    assert f"Exercise {first.id}: write {first.check.name}" in str(stopped.value)


def test_every_stub_names_its_exercise(number: int) -> None:
    cells = {c.metadata.nbgrader.grade_id: c for c in student(number).cells if "nbgrader" in c.metadata}
    for exercise in find_lab(number).exercises:
        if exercise.check:
            assert f'raise NotImplementedError("Exercise {exercise.id}: ' in cells[exercise.cell].source


def test_nbgrader_accepts_the_metadata(number: int) -> None:
    for notebook in (student(number), solution(number)):
        MetadataValidator().validate_nb(notebook)
        nbformat.validate(notebook)
    points = [
        c.metadata.nbgrader.points
        for c in student(number).cells
        if c.metadata.get("nbgrader", {}).get("grade")
    ]
    assert sum(points) == sum(e.points for e in find_lab(number).exercises)


def test_every_code_cell_of_the_solution_was_executed_in_order(number: int) -> None:
    cells = code(solution(number))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


def test_cells_that_nbval_compares_have_stored_outputs(number: int) -> None:
    skip_drafts(number)
    compared = [c for c in code(solution(number)) if "nbval-check-output" in c.metadata.get("tags", [])]
    assert len(compared) >= 3
    assert all(cell.outputs for cell in compared)
    timed = [cell.source for cell in compared if re.search(r"\.(above|below|latency|ratio)\b", cell.source)]
    assert not timed, "what was timed differs from machine to machine, and so does what is said of it"


def test_every_check_passed_in_the_stored_run(number: int) -> None:
    cells = {c.metadata.nbgrader.grade_id: c for c in code(solution(number)) if "nbgrader" in c.metadata}
    for exercise in find_lab(number).exercises:
        if exercise.check:
            output = cells[exercise.cell.replace("ex-", "check-")].outputs[0].text
            assert output.startswith(f"Exercise {exercise.id} passed: ")


def test_no_stored_output_is_an_error_or_names_a_path(number: int) -> None:
    for cell in code(solution(number)):
        assert all(output.output_type != "error" for output in cell.outputs)
        text = nbformat.v4.writes(nbformat.v4.new_notebook(cells=[cell]))
        assert str(ROOT) not in text


def test_the_solution_is_small(number: int) -> None:
    skip_drafts(number)
    assert (ROOT / "solutions" / f"{find_lab(number).slug}.ipynb").stat().st_size <= MAX_SOLUTION_BYTES
    pictures = [
        output.data["image/png"]
        for cell in code(solution(number))
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) >= 5
    assert sum(map(len, pictures)) <= MAX_PICTURE_BYTES


def test_the_readmes_picture_is_the_solutions_own_output(number: int) -> None:
    skip_drafts(number)
    picture = (ROOT / "docs" / f"lab{number}.png").read_bytes()
    assert picture == cover_picture(solution(number))
    assert f"docs/lab{number}.png" in (ROOT / "README.md").read_text()


def test_exercises_have_three_hints(number: int) -> None:
    for exercise in find_lab(number).exercises:
        text = next(
            c.source for c in student(number).cells if c.source.startswith(f"### Exercise {exercise.id} ")
        )
        assert text.count("<details><summary>Hint ") == (3 if exercise.check else 0), exercise.id
