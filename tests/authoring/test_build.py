"""From one source to its artefacts: headings, metadata, stubs, stable ids, and clear errors."""

from __future__ import annotations

import base64
import importlib.util
import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from PIL import Image

from efficientlab.authoring import build, colab
from efficientlab.authoring.colab import setup_source
from efficientlab.authoring.execute import tidy_outputs
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.environment import ROOT
from efficientlab.exercises import goldens
from efficientlab.exercises.contract import Check, Exercise, values_judge
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import MODULES, find_lab

CHECK = Check("double", lambda answer, case: {}, lambda seed: [], values_judge({}))
LAB = Lab(
    9,
    "lab9_test",
    "Test",
    (Exercise("9.1", "Double", "build", 60, 5, 2, CHECK), Exercise("9.2", "Why?", "investigate", 40, 5, 1)),
)

SOURCE = """# %% [markdown]
# # A lab

# %% tags=["prelude"]
import math

# %% [markdown] exercise="9.1"
# Double it.

# %% exercise="9.1"
def double(x: float) -> float:
    \"\"\"Twice x.\"\"\"
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% check="9.1"
print(double(2))

# %% [markdown] exercise="9.2"
# Explain.

# %% tags=["guess"]
guess = {
    "of 27": 9,  # your guess
    "after 3 layers": 10.5,
}
lab.lock("2 things", guess)

# %% [markdown] answer="9.2"
# Because two.
#
# === BEGIN MARK SCHEME ===
# 40 points for two.
# === END MARK SCHEME ===
"""


def source(tmp_path: Path, text: str = SOURCE) -> nbformat.NotebookNode:
    path = tmp_path / "lab9_test.py"
    path.write_text(text)
    return read_source(path, LAB)


def cell(notebook: nbformat.NotebookNode, grade_id: str) -> nbformat.NotebookNode:
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def test_the_heading_comes_from_the_exercise(tmp_path: Path) -> None:
    text = next(c.source for c in source(tmp_path).cells if "Double it." in c.source)
    assert text.startswith(
        "### Exercise 9.1 · Double\n\n*build · 60 points · about 5 minutes · difficulty ★★☆*"
    )


def test_a_stub_keeps_signature_and_docstring_and_names_the_exercise(tmp_path: Path) -> None:
    stub = cell(student_notebook(source(tmp_path), LAB), "ex-9-1").source
    assert stub == (
        'def double(x: float) -> float:\n    """Twice x."""\n'
        '    raise NotImplementedError("Exercise 9.1: write double, then run this cell and its check.")'
    )


def test_the_mark_scheme_and_the_answer_are_gone(tmp_path: Path) -> None:
    answer = cell(student_notebook(source(tmp_path), LAB), "ex-9-2")
    assert answer.source == "*Your answer.*"
    assert answer.metadata.nbgrader.points == 40


def test_a_sample_keeps_the_solved_exercises(tmp_path: Path) -> None:
    solved = cell(student_notebook(source(tmp_path), LAB, {"9.1"}), "ex-9-1").source
    assert solved.endswith("return 2 * x")
    assert "SOLUTION" not in solved


def test_a_guess_is_left_to_the_student(tmp_path: Path) -> None:
    solution = source(tmp_path)
    given, ours = (
        next(c.source for c in notebook.cells if "guess" in c.metadata.get("tags", []))
        for notebook in (student_notebook(solution, LAB), solution)
    )
    assert given == ours.replace(": 9,", ": None,").replace(": 10.5,", ": None,")
    assert given.count("None") == 2


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (nbformat.writes(student_notebook(source(tmp_path), LAB)) for _ in range(2))
    assert first == second


def test_an_edit_changes_one_cell_id(tmp_path: Path) -> None:
    before = [c.id for c in source(tmp_path).cells]
    after = [c.id for c in source(tmp_path, SOURCE.replace("# A lab", "# The lab")).cells]
    assert len(set(before)) == len(before)
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('check="9.1"', 'check="9.7"', "lab 9 has no exercise '9.7'"),
        ('# %% check="9.1"\nprint(double(2))\n', "", "0 cells are check-9-1; there must be exactly one"),
        ('answer="9.2"', "", "0 cells are ex-9-2; there must be exactly one"),
    ],
)
def test_a_wrong_source_is_named(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in SOURCE
    with pytest.raises(ValueError, match=r"lab9_test\.py") as error:
        source(tmp_path, SOURCE.replace(old, new))
    assert sentence in str(error.value)


def test_stored_pictures_get_a_palette_and_progress_bars_go() -> None:
    picture = Image.effect_noise((160, 120), 40).convert("RGB")
    out = io.BytesIO()
    picture.save(out, "PNG")
    png = base64.b64encode(out.getvalue()).decode()
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(
                "x",
                outputs=[
                    nbformat.v4.new_output("stream", name="stderr", text="100%"),
                    nbformat.v4.new_output("display_data", data={"image/png": png}),
                ],
            )
        ]
    )
    tidy_outputs(notebook)
    (output,) = notebook.cells[0].outputs
    small = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
    assert small.size == picture.size
    assert len(output.data["image/png"]) < len(png)


def test_a_palette_keeps_the_colours_of_few_pixels() -> None:
    """A legend's dots, beside a plot with hundreds of shades."""
    picture = Image.effect_noise((320, 240), 60).convert("RGB")
    dots = {(4, 4): (200, 64, 61), (24, 4): (214, 86, 156), (44, 4): (132, 87, 168)}  # red, pink, purple
    for (left, top), colour in dots.items():
        picture.paste(colour, (left, top, left + 6, top + 6))
    out = io.BytesIO()
    picture.save(out, "PNG")
    data = {"image/png": base64.b64encode(out.getvalue()).decode()}
    shown = nbformat.v4.new_output("display_data", data=data)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[shown])])
    tidy_outputs(notebook)
    stored = base64.b64decode(notebook.cells[0].outputs[0].data["image/png"])
    small = Image.open(io.BytesIO(stored)).convert("RGB")
    for (left, top), colour in dots.items():
        kept = small.getpixel((left + 3, top + 3))
        assert max(abs(a - b) for a, b in zip(kept, colour, strict=True)) <= 4


@pytest.fixture
def on_colab(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Colab before the set-up cell: the package and two others are absent. What pip is asked for is noted."""
    commands: list[list[str]] = []
    found = importlib.util.find_spec
    absent = {"efficientlab.exercises", "av", "safetensors"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in absent else found(name))
    monkeypatch.setattr(
        subprocess, "run", lambda command: commands.append(command) or subprocess.CompletedProcess(command, 0)
    )
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    monkeypatch.setitem(sys.modules, "efficientlab", sys.modules["efficientlab"])
    return commands


def test_colab_installs_without_dependencies_and_never_torch(
    on_colab: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    exec(setup_source(), {})
    (command,) = on_colab
    assert command[:5] == [sys.executable, "-m", "pip", "install", "--no-deps"]
    assert command[5].startswith("git+https://github.com/") and "@v" in command[5]
    assert command[6:] == ["safetensors", "av"]
    assert "installed: git+https" in capsys.readouterr().out


def test_set_up_names_what_it_cannot_reach(
    on_colab: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command: subprocess.CompletedProcess(command, 1))
    with pytest.raises(
        Exception, match=r"could not install git\+https://github.com/.* try once more"
    ) as stopped:
        exec(setup_source(), {})
    assert stopped.value._render_traceback_() == [f"Not ready: {stopped.value}"]


def test_set_up_elsewhere_says_what_to_do(on_colab: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "google.colab")
    with pytest.raises(Exception, match=r"-m pip install \."):
        exec(setup_source(), {})
    assert not on_colab


@pytest.mark.slow
def test_the_data_of_a_removed_package_do_not_pass_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A moved checkout leaves `site-packages/efficientlab/data`, which Python takes for a package."""
    (tmp_path / "efficientlab" / "data").mkdir(parents=True)
    installed = "[p for p in sys.path if not os.path.exists(os.path.join(p, 'efficientlab', 'exercises'))]"
    code = f"import os, sys; sys.path = [{str(tmp_path)!r}, *{installed}]\n{setup_source()}"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "NotReady: efficientlab is not installed in this kernel" in done.stderr


def test_set_up_refuses_an_old_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.__version__", "2.1.0")
    with pytest.raises(Exception, match=r"torch .*2, 1.* is too old"):
        exec(setup_source(), {})


def test_a_fork_changes_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    project = colab._project()
    project["urls"]["Repository"] = "https://github.com/somebody/her-fork"
    monkeypatch.setattr(colab, "_project", lambda: project)
    assert '"git+https://github.com/somebody/her-fork@v' in setup_source()
    assert "/github/somebody/her-fork/blob/main/labs/lab4_tsm.ipynb" in colab.badge_cell("lab4_tsm").source
    readme = colab.with_repository((ROOT / "README.md").read_text(encoding="utf-8"))
    assert readme.count("github/somebody/her-fork/blob/main/labs/") == len(MODULES)


def test_a_new_set_up_cell_or_layout_keeps_a_notebook_s_outputs() -> None:
    path = ROOT / "solutions" / f"{find_lab(4).slug}.ipynb"
    fresh = nbformat.read(path, 4)
    setup = next(cell for cell in fresh.cells if colab.is_setup(cell))
    setup.source += "\nprint('more')"
    assert build._keep_outputs(fresh, path)
    last = [cell for cell in fresh.cells if cell.cell_type == "code"][-1]
    last.source += "  # the layout and the comments of a cell change no output, either\n\n"
    assert build._keep_outputs(fresh, path)
    last.source += "\nprint('more')"
    assert not build._keep_outputs(fresh, path)


@pytest.mark.slow
def test_recorded_cases_that_the_solution_no_longer_answers_are_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = find_lab(4)
    said = f"{goldens.FOLDER.relative_to(build.ROOT)}/{lab.slug}.safetensors is not what the solution"
    cases = {exercise.id: lab.recorded(exercise.id) for exercise in lab.exercises if exercise.check}
    monkeypatch.setattr(build, "record_cases", lambda solution, lab: cases)
    assert not any(line.startswith(said) for line in build.stale(lab))
    first = cases["4.1"][0]
    changed = {key: value + 1 if key == "logits" else value for key, value in first.expected.items()}  # type: ignore[operator]
    for other in (
        replace(first, expected=changed),
        replace(first, slips={"a new slip": "ValueError"}),
        replace(first, inputs={}),
    ):
        again = cases | {"4.1": [other, *cases["4.1"][1:]]}
        monkeypatch.setattr(build, "record_cases", lambda solution, lab, again=again: again)
        assert any(line.startswith(said) for line in build.stale(lab))
    monkeypatch.setattr(build, "record_cases", lambda solution, lab: cases | {"4.1": cases["4.1"][1:]})
    assert any(line.startswith(said) for line in build.stale(lab))
