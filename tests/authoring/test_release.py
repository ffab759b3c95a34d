"""What students get runs, and holds nothing that answers the lab."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from efficientlab.authoring import release as module
from efficientlab.authoring.build import source_path
from efficientlab.authoring.release import (
    ALWAYS,
    ReleaseError,
    answers_of,
    leaks,
    modules_of,
    namesakes,
    release,
)
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.environment import ROOT
from efficientlab.exercises.labs import MODULES, find_lab

LAB = find_lab(4)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("release") / "bundle"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "stale", lambda lab: [])  # tests/notebooks guards that
        lines = release(LAB, out)
    assert any("none is in the notebook" in line for line in lines)
    return out


def test_the_bundle_holds_no_answer_and_no_grader(bundle: Path) -> None:
    assert leaks(bundle, LAB) == []
    names = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*")}
    assert "labs/lab4_tsm.ipynb" in names
    assert "efficientlab/exercises/goldens/lab4_tsm.safetensors" in names
    for part in (
        "solutions",
        "tests",
        "efficientlab/grading",
        "efficientlab/authoring",
        "efficientlab/kernels/shift.py",
    ):
        assert part not in names


@pytest.mark.slow
def test_everything_that_the_lab_uses_is_there(bundle: Path) -> None:
    """Import each module in a process that sees the bundle alone, and run one check."""
    code = (
        "import importlib, json, sys, efficientlab\n"
        "for name in json.loads(sys.argv[1]): importlib.import_module(name)\n"
        "from efficientlab.exercises.labs import find_lab\n"
        "from efficientlab.datasets.video.arrowset import arrowset\n"
        "arrowset('train', 2, size=32, frames=4, seed=0)\n"
        "lab = find_lab(4)\n"
        "from efficientlab.exercises.lab4.costs import CONTESTANTS\n"
        "lab.check('4.5', dict.fromkeys(CONTESTANTS, 1.0))\n"
        "print(efficientlab.__file__)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, json.dumps(sorted(modules_of(LAB)))],
        cwd=bundle,
        env={**os.environ, "PYTHONPATH": str(bundle)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert "Exercise 4.5 passed" in result.stdout
    assert str(bundle) in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("number", MODULES)
def test_a_bundle_holds_what_its_lab_uses_and_nothing_else(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each module of the bundle can be imported from it alone, and another of its files, or the lab, asks for it."""
    monkeypatch.setattr(module, "stale", lambda lab: [])
    lab = find_lab(number)
    release(lab, tmp_path / "bundle")
    package = tmp_path / "bundle" / "efficientlab"
    files = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    names = {
        path: ".".join(("efficientlab", *path.relative_to(package).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        for path in files
    }
    code = "\n".join(f"import {name}" for path, name in names.items() if files[path])
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "bundle")}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    notebook = nbformat.read(ROOT / "labs" / f"{lab.slug}.ipynb", 4)
    texts = {**files, Path("notebook"): "\n".join(cell.source for cell in notebook.cells)}
    for path, name in names.items():
        room, _, last = name.rpartition(".")
        asked = re.compile(rf"{re.escape(name)}\b|from {re.escape(room)} import .*\b{last}\b")
        others = (text for other, text in texts.items() if other != path)
        assert not files[path] or name in ALWAYS or any(map(asked.search, others)), f"nothing asks for {name}"
    labs = {re.match(r"efficientlab\.exercises\.lab(\d+)", name) for name in names.values()} - {None}
    assert {int(match[1]) for match in labs if match} == {number}


def test_the_bundle_is_a_project_without_our_command(bundle: Path) -> None:
    import tomllib

    project = tomllib.loads((bundle / "pyproject.toml").read_text())
    assert project["project"]["name"] == "efficientlab"
    assert "scripts" not in project["project"]
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["efficientlab"]


def test_the_bundle_can_be_graded_by_github_classroom(bundle: Path) -> None:
    text = (bundle / ".github" / "workflows" / "classroom.yml").read_text(encoding="utf-8")
    (job,) = yaml.safe_load(text)["jobs"].values()
    graders = {step["id"]: step["with"] for step in job["steps"] if "id" in step}
    checked = [e for e in LAB.exercises if e.check]
    assert [step["max-score"] for step in graders.values()] == [e.points for e in checked]
    for step, exercise in zip(graders.values(), checked, strict=True):
        assert f"check labs/{LAB.slug}.ipynb --lab 4 --exercise {exercise.id}" in step["command"]
    reporter = job["steps"][-1]
    assert reporter["with"]["runners"].split(",") == list(graders)
    assert {name.removesuffix("_RESULTS").lower() for name in reporter["env"]} == set(graders)


@pytest.mark.slow
def test_a_module_that_defines_what_an_exercise_asks_for_is_named(bundle: Path, tmp_path: Path) -> None:
    assert namesakes(bundle, LAB) == []
    (tmp_path / "kernels.py").write_text("temporal_shift = None\ndef f(x):\n    class OnlineShift: ...\n")
    assert namesakes(tmp_path, LAB) == ["kernels.py defines temporal_shift"]
    assert "kernels/shift.py defines temporal_shift" in namesakes(ROOT / "efficientlab", LAB)


@pytest.mark.parametrize("exercise_id", [e.id for e in LAB.exercises])
def test_each_answer_would_be_found(exercise_id: str, tmp_path: Path) -> None:
    """A notebook in which one exercise is solved is told from the one that students get."""
    source = read_source(source_path(LAB), LAB)
    nbformat.write(student_notebook(source, LAB), tmp_path / "blank.ipynb")
    assert leaks(tmp_path, LAB) == []
    cells = source.cells
    answer = next(c for c in cells if c.metadata.get("nbgrader", {}).get("grade_id") == LAB[exercise_id].cell)
    (tmp_path / "solved.md").write_text(answer.source.replace("    ", "\t"))  # reformatted, too
    assert leaks(tmp_path, LAB) != []


def test_there_are_answers_to_search_for() -> None:
    assert len(answers_of(LAB)) >= 2 * len([e for e in LAB.exercises if e.check])


def test_nothing_is_left_where_nothing_is_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "stale", lambda lab: [])
    monkeypatch.setattr(module, "leaks", lambda bundle, lab: ["x.py defines temporal_shift"])
    with pytest.raises(ReleaseError, match="give answers away"):
        release(LAB, tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(module, "stale", lambda lab: ["labs/lab4_tsm.ipynb is old"])
    with pytest.raises(ReleaseError, match="efficientlab build 4"):
        release(LAB, tmp_path / "bundle")
    (tmp_path / "bundle").mkdir()
    with pytest.raises(ReleaseError, match="is there already"):
        release(LAB, tmp_path / "bundle")
