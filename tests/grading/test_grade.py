"""`efficientlab grade` from an export to reports, in the sandbox that this machine has."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import nbformat
import pytest

from efficientlab.authoring.build import source_path
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.authoring.validate import Sample, problems
from efficientlab.exercises.labs import find_lab
from efficientlab.grading import grade as module
from efficientlab.grading.grade import grade
from efficientlab.grading.reading.borrowed import borrowed, imports
from efficientlab.grading.record import load_records

pytestmark = pytest.mark.slow

LAB = find_lab(4)
PLANTED = "efficientlab-hidden-marker"


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Canvas zip: one half right, one who prints what it is given, one file that is no notebook."""
    source = read_source(source_path(LAB), LAB)
    half = student_notebook(source, LAB, ["4.1", "4.2", "4.7"])
    spy = student_notebook(source, LAB, ["4.1", "4.7"])
    known = [round(case.inputs["video"].sum().item(), 3) for case in LAB.recorded("4.7")]
    for cell in spy.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "ex-4-7":
            cell.source += (
                "\n\nright = stream_logits\n"
                "def stream_logits(net, video):\n"
                f"    if round(video.sum().item(), 3) not in {known}:\n"
                f"        print('{PLANTED}', video)\n"
                f"        raise ValueError(f'{PLANTED} {{video.flatten().tolist()}}')\n"
                "    return right(net, video)"
            )
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "ex-4-2":
            cell.source = (
                "from efficientlab.kernels import temporal_shift as ready\n"
                "def temporal_shift(x, n_frames, fold_div=8, causal=False):\n"
                "    return ready(x, n_frames, fold_div, causal) if x.shape[1] >= fold_div else x.clone()"
            )
    path = tmp_path_factory.mktemp("export") / "submissions.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("half_11_101_lab4_tsm.ipynb", nbformat.writes(half))
        out.writestr("spy_12_102_lab4_tsm.ipynb", nbformat.writes(spy))
        out.writestr("lost_13_103_lab4_tsm.ipynb", "<html>Please log in</html>")
    return path


@pytest.fixture(scope="module")
def grades(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("grades")
    assert grade(export, LAB, out, seed=5) == 0
    return out


def test_everybody_has_a_record_a_page_and_a_row(grades: Path) -> None:
    points = {record.student: record.points for record in load_records(grades)}
    assert points == {"half": 32, "spy": 24, "lost": 0}
    for identity in ("half_11", "spy_12", "lost_13"):
        assert (grades / "pages" / f"{identity}.html").exists()
        assert identity in (grades / "grades.csv").read_text()
        json.loads((grades / "gradescope" / identity / "results.json").read_text())


def test_a_file_that_is_no_notebook_gets_a_page_that_says_so(grades: Path) -> None:
    assert "this is not a notebook" in (grades / "pages" / "lost_13.html").read_text()
    (lost,) = (record for record in load_records(grades) if record.student == "lost")
    assert lost.faults == ()


def test_no_report_shows_a_value_of_a_fresh_case(grades: Path) -> None:
    """The spy is right on the recorded cases; what it learns of a fresh one does not come back in any file."""
    (spy,) = (record for record in load_records(grades) if record.student == "spy")
    assert spy["4.7"].status == "error"
    assert spy["4.7"].message.startswith(
        "`stream_logits` passes the recorded cases, but not fresh ones of the same kind: there it raises an exception"
    )
    for path in grades.rglob("*"):
        if path.is_file() and "submissions" not in path.parts:
            assert PLANTED not in path.read_text(), path


def test_an_answer_that_the_package_gave_is_reported_and_costs_nothing(grades: Path) -> None:
    sentence = (
        "imports efficientlab.kernels.temporal_shift, which the lab does not: a person will look at it."
    )
    records = {record.student: record for record in load_records(grades)}
    assert records["spy"]["4.2"].status == "passed"
    assert [note for note in records["spy"].notes if sentence in note]
    assert not [note for note in records["half"].notes if "imports" in note]
    assert sentence in (grades / "index.html").read_text()
    # its gradient is called by the driver, and named as well
    called = "efficientlab.kernels.shift.temporal_shift, which the lab's own does not"
    assert [note for note in records["spy"].notes if note.startswith("the answer to 4.2") and called in note]
    assert not [note for note in records["half"].notes if "calls" in note]


def test_imports_in_a_thousand_cells_do_not_fill_the_page() -> None:
    notes = borrowed({number: ["efficientlab.kernels.bev_pool"] for number in range(1, 1001)}, set())
    assert len(notes) == 11
    assert notes[-1] == "990 more cells import what the lab does not."


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("import efficientlab.kernels.shift as k", "efficientlab.kernels.shift"),
        (
            "def f(x):\n    from efficientlab.kernels.shift import shift_op",
            "efficientlab.kernels.shift.shift_op",
        ),
        ("from efficientlab.models.video.resnet import BasicBlock", ""),
        ("import efficientlabs, torch", ""),
        ("from . import kernels\ndef broken(:", ""),
    ],
)
def test_imports_beyond_the_labs_own_are_found(source: str, shown: str) -> None:
    usual = set(imports("from efficientlab.models.video.resnet import BasicBlock, SmallResNet"))
    notes = borrowed({7: sorted(set(imports(source)))}, usual)
    assert [note.split(",")[0] for note in notes] == ([f"cell 7 imports {shown}"] if shown else [])


def test_a_second_run_keeps_the_records(export: Path, grades: Path) -> None:
    stamps = {path.name: path.stat().st_mtime_ns for path in (grades / "records").glob("*.json")}
    assert grade(export, LAB, grades, seed=5) == 0
    assert {path.name: path.stat().st_mtime_ns for path in (grades / "records").glob("*.json")} == stamps


def test_what_cannot_be_graded_at_all_gets_one_sentence(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*arguments: object, **more: object) -> object:
        raise module.SandboxError("no sandbox works on this machine.")

    monkeypatch.setattr(module, "grade_batch", refuse)
    assert grade(export, LAB, tmp_path) == 2
    assert capsys.readouterr().err == "efficientlab grade: no sandbox works on this machine.\n"


def test_a_run_that_is_stopped_says_how_to_go_on(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*arguments: object, **more: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "grade_batch", stop)
    assert grade(export, LAB, tmp_path) == 130
    assert "the same command goes on from there" in capsys.readouterr().err


def test_validate_tells_a_slip_that_is_not_found_and_points_that_are_wrong(grades: Path) -> None:
    (half,) = (record for record in load_records(grades) if record.student == "half")
    notebook = nbformat.v4.new_notebook()
    lost = frozenset(e.id for e in half.exercises if e.earned == 0)
    worth = {e.id: e.points for e in half.exercises}
    assert problems(Sample("half", notebook, lost), half) == []
    assert problems(Sample("half", notebook, lost - {"4.3"}), half) == [
        f"half: 4.3 got 0, not {worth['4.3']}: not written yet"
    ]
    assert problems(Sample("half", notebook, lost | {"4.1"}), half)[0].startswith(
        f"half: 4.1 got {worth['4.1']}, not 0: "
    )
    wrong = problems(Sample("half", notebook, lost, "the other direction"), half)
    assert wrong[0] == "half: 4.3 does not name its slip but says: not written yet"
