"""What people read of a batch: nothing hidden, everything escaped, points from a person merged."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import get_args

import nbformat
import pytest

from efficientlab.authoring.build import source_path
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.folder import alone_in
from efficientlab.grading.grade import grade, review
from efficientlab.grading.reading.intake import Intake, Student
from efficientlab.grading.record import ExerciseResult, Record, Status, load_records, record_id, record_path
from efficientlab.grading.reporting.gradebook import (
    canvas_csv,
    csv_text,
    grades_csv,
    gradescope_json,
    safe_cell,
)
from efficientlab.grading.reporting.reports import Total, class_values, student_values, write_reports
from efficientlab.grading.reporting.review import ReviewError, read_points, write_review

LAB = find_lab(4)
SEED = 918273645
EVIL = "<script>alert(1)</script> =cmd|'/c calc'!A1 [x](javascript:1) {{ 7*7 }}"


def record(
    student: str,
    outcomes: dict[str, tuple[Status, str]] | None = None,
    slip: str | None = None,
    **more: object,
) -> Record:
    results = []
    for e in LAB.exercises:
        status, message = (outcomes or {}).get(
            e.id, ("passed", "8 cases") if e.check else ("by hand", "read by a person")
        )
        earned = None if status in ("by hand", "not checked") else e.points if status == "passed" else 0
        known = slip if status == "failed" else None
        results.append(
            ExerciseResult(e.id, e.title, e.points, e.bonus, earned, status, message, known, 8, 0.5)
        )
    whole = Record(
        record_id(student),
        student,
        "x.ipynb",
        "ab" * 32,
        None,
        4,
        "v1",
        SEED,
        "namespaces",
        "Fine.",
        tuple(results),
    )
    return replace(whole, **more)  # type: ignore[arg-type]


def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    found = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            found.append((tag, dict(attributes)))

    Tags().feed(page)
    return found


@cache
def handed_in(*solved: str) -> str:
    return nbformat.writes(student_notebook(read_source(source_path(LAB), LAB), LAB, solved))


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch of five, with its reports and its review, which no test changes."""
    out = tmp_path_factory.mktemp("graded")
    records = [
        record("ann"),
        record("bob", {"4.2": ("failed", "the other direction (cell 9)")}, slip="the other direction"),
        record(
            "zoe",
            {"4.2": ("failed", "the other direction (cell 7)"), "4.4": ("error", EVIL)},
            slip="the other direction",
        ),
        record(EVIL, {e.id: ("failed", EVIL) for e in LAB.exercises if e.check}, notes=(EVIL,)),
        record(
            "dan", {e.id: ("missing", "not read") for e in LAB.exercises}, faults=("the box did not start",)
        ),
    ]
    for one in records:
        one.save(out)
        solved = ["4.9"] if one.student == "ann" else []
        path = out / "submissions" / f"{one.id}.ipynb"
        path.parent.mkdir(exist_ok=True)
        notebook = nbformat.reads(handed_in(*solved), 4)
        for cell in notebook.cells:
            if one.student == EVIL and cell.metadata.get("nbgrader", {}).get("grade_id") == "ex-4-9":
                cell.source = EVIL
        nbformat.write(notebook, path)
    students = {one.id: Student(one.student, "77" if one.student == "ann" else "") for one in records}
    Intake((), students, "by the notebook's file name", ("x.pdf was left out.",)).save(out)
    write_reports(records, out, LAB)
    write_review(out, LAB)
    return out


@pytest.fixture
def grades(graded: Path, tmp_path: Path) -> Path:
    """A copy of it, for a test to change."""
    return shutil.copytree(graded, tmp_path, dirs_exist_ok=True)


def test_a_page_says_points_message_and_how_to_see_it(grades: Path) -> None:
    page = (grades / "pages" / "bob.html").read_text()
    assert (
        "68" in page
        and "of 100 points" in page
        and "10 bonus points" in page
        and "16 more points wait" in page
    )
    assert "The other direction (cell 9)." in page
    assert "lab.check(&#34;4.2&#34;, temporal_shift)" in page
    markdown = (grades / "pages" / "bob.md").read_text()
    assert 'lab.check("4.2", temporal_shift)' in markdown
    assert re.search(r"4\.2 The temporal shift \| 0 / 16 \| The other direction", markdown)


def test_no_page_for_students_shows_the_seed_of_the_fresh_cases(grades: Path) -> None:
    for path in [*grades.glob("pages/*"), *grades.glob("gradescope/*/*")]:
        assert str(SEED) not in path.read_text()
    assert str(SEED) in (grades / "index.html").read_text()  # for the instructor, to draw them again


@pytest.mark.parametrize("pattern", ["pages/*.html", "index.html"])
def test_what_a_student_wrote_is_never_markup_and_nothing_is_fetched(grades: Path, pattern: str) -> None:
    for path in grades.glob(pattern):
        for tag, attributes in tags(path.read_text()):
            assert tag not in ("script", "img", "link", "iframe", "object")
            assert not any(name.startswith("on") or name == "src" for name in attributes)
            assert re.fullmatch(r"pages/[\w.-]+\.html", attributes.get("href") or "pages/x.html")


def test_markdown_of_a_student_is_escaped(grades: Path) -> None:
    text = (grades / "pages" / f"{record_id(EVIL)}.md").read_text()
    assert "<script>" not in text
    assert "[x](javascript" not in text
    assert "{{ 7" not in text


def test_code_in_a_sentence_is_set_as_code_and_markup_is_not() -> None:
    from efficientlab.grading.reporting.pages import _markdown, _with_code

    assert str(_with_code("`f(x)` raised <b>")) == "<code>f(x)</code> raised &lt;b&gt;"
    assert str(_with_code("one ` alone")) == "one ` alone"
    shown = str(
        _markdown("# Big\n*so* `x < 1` <script>alert(1)</script> [a](http://x.y) ![b](http://x.y/z.png)")
    )
    assert "<h3>Big</h3>" in shown and "<em>so</em>" in shown and "<code>x &lt; 1</code>" in shown
    assert not re.search(r"<(script|a|img)\b", shown)


def test_tables_that_would_fill_up_stay_text() -> None:
    from efficientlab.grading.reporting.pages import _markdown

    table = "|" + "a|" * 250 + "\n|" + "-|" * 250 + "\n" + "b\n" * 250
    assert "<td>2</td>" in str(_markdown("|a|b|\n|-|-|\n|1|2|")) and _markdown("") == ""
    written = "\n".join([table, "<b>"] * 13)
    shown = str(_markdown(written))
    assert len(shown) < 3 * len(written) and "<table" not in shown
    assert shown.count("a|") == 13 * 250 and "&lt;b&gt;" in shown


def test_headings_go_down_one_at_a_time_and_tables_name_their_headers(grades: Path) -> None:
    for path in [grades / "index.html", *sorted((grades / "pages").glob("*.html"))[:3]]:
        page = path.read_text(encoding="utf-8")
        levels = [1, *(int(level) for level in re.findall(r"<h(\d)", page))]
        assert all(b <= a + 1 for a, b in pairwise(levels)), path
        assert not re.search(r"<th(?![^>]*scope)", page.replace("<thead", "")), path
        assert "print-color-adjust: exact" in page


def test_outcomes_have_colours_of_their_own(grades: Path) -> None:
    page = (grades / "index.html").read_text(encoding="utf-8")
    colours = dict(re.findall(r"\.fill-([\w-]+) \{ background: ([^;]+);", page))
    kinds = {status.replace(" ", "-") for status in get_args(Status)}
    assert colours.keys() == kinds
    assert len(set(colours.values())) == len(kinds)


def test_the_overview_counts_outcomes_and_misconceptions(grades: Path) -> None:
    values = class_values(load_records(grades), Intake.load(grades), LAB)
    row = next(e for e in values["exercises"] if e["id"] == "4.2")
    assert row["tooltip"] == "1 passed, 3 failed, 1 missing"
    assert sum(float(part["percent"]) for part in row["parts"]) == pytest.approx(100, abs=0.05)
    assert {"count": 2, "exercise": "4.2", "sentence": "the other direction"} in values["slips"]
    assert sum(b["count"] for b in values["bins"]) == 5
    page = (grades / "index.html").read_text()
    assert "the box did not start" in page
    assert "x.pdf was left out." in page
    assert "by the notebook" in page


def test_tables_have_a_row_a_student_and_no_formula(grades: Path) -> None:
    for name in ("grades.csv", "canvas.csv"):
        rows = list(csv.reader(io.StringIO((grades / name).read_text(encoding="utf-8-sig"))))
        assert len({len(row) for row in rows}) == 1
        for row in rows:
            assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row)
    canvas = list(csv.DictReader(io.StringIO((grades / "canvas.csv").read_text(encoding="utf-8-sig"))))
    assert list(canvas[0])[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert canvas[0]["Student"].strip() == "Points Possible"
    ann = next(row for row in canvas if row["Student"] == "ann")
    assert ann["ID"] == "77"
    assert ann[f"Lab 4: {LAB.title}"] == "94"


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n=1", "\0=1", "＝1+1", "＋1", "＠x", "\u3000=1"],
)
def test_text_that_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    assert str(safe_cell(text)).startswith("'")


def test_no_cell_is_longer_than_a_spreadsheet_and_python_read() -> None:
    rows = list(
        csv.reader(io.StringIO(csv_text([["a", "=" + "x" * 200_000, "b"], ["next"]]).lstrip("\ufeff")))
    )
    assert rows[1] == ["next"]
    assert [len(cell) for cell in rows[0]] == [1, 32_001, 1]


def test_gradescope_gets_its_format(grades: Path) -> None:
    result = json.loads((grades / "gradescope" / "bob" / "results.json").read_text())
    assert sum(test["score"] for test in result["tests"]) == 78
    assert (
        sum(test["max_score"] for test in result["tests"]) == 84
    )  # the bonus is on top, 4.9 is read by a person
    assert all(test["visibility"] == "visible" for test in result["tests"])
    # seconds, which an answer can choose by what it sees of a fresh case
    assert "execution_time" not in result


def test_gradescope_shows_what_could_not_be_checked_as_neither_right_nor_wrong() -> None:
    outcomes: dict[str, tuple[Status, str]] = {
        "4.2": ("not checked", "Traceback: no triton in /opt/secret"),
        "4.10": ("not checked", "Traceback: no triton in /opt/secret"),
    }
    result = json.loads(gradescope_json(record("ann", outcomes)))
    shown = {test["name"].split()[0]: test for test in result["tests"]}
    for number in outcomes:
        assert not shown[number].keys() & {"score", "max_score", "status"}
        assert "not your fault" in shown[number]["output"] and "secret" not in shown[number]["output"]
    of_others = [test["score"] for test in result["tests"] if "score" in test]
    assert result["score"] == sum(of_others) == 68  # said apart, since not every test has one


def test_gradescope_gets_points_where_nothing_could_be_checked() -> None:
    outcomes: dict[str, tuple[Status, str]] = {e.id: ("not checked", "") for e in LAB.exercises if e.check}
    assert json.loads(gradescope_json(record("ann", outcomes)))["score"] == 0


def test_a_submission_without_a_sandbox_says_so_on_every_report(tmp_path: Path) -> None:
    open_one = record("ann", sandbox="none", guarantee="Nothing was confined.")
    open_one.save(tmp_path)
    write_reports([open_one], tmp_path, LAB)
    for name in ("index.html", "pages/ann.html", "pages/ann.md"):
        assert "without a sandbox" in (tmp_path / name).read_text(), name


def test_a_result_that_could_not_be_checked_blames_nobody() -> None:
    values = student_values(
        record("ann", {"4.10": ("not checked", "Traceback: no triton in /opt/secret")}), LAB
    )
    row = next(r for r in values["rows"] if r["result"].id == "4.10")
    assert "not your fault" in row["sentence"] and "secret" not in row["sentence"]


def filled(grades: Path, change: dict[str, str], comment: str = "") -> None:
    """Write points into points.csv: `change` maps an answer's code to the text in its points column."""
    path = grades / "review" / "points.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    for row in rows:
        row["points"] = change.get(row["answer"], row["points"])
        row["comment"] = comment if row["answer"] in change else row["comment"]
    out = io.StringIO()
    table = csv.DictWriter(out, rows[0].keys(), delimiter=";")  # as a German spreadsheet saves it
    table.writeheader()
    table.writerows(rows)
    path.write_text("\ufeff" + out.getvalue())


def codes(grades: Path) -> list[str]:
    with (grades / "review" / "points.csv").open(encoding="utf-8-sig") as file:
        return [row["answer"] for row in csv.DictReader(file)]


def test_answers_are_read_without_names_and_escaped(grades: Path) -> None:
    page = (grades / "review" / "4.9.html").read_text()
    for name in ("ann", "bob", "zoe", "dan"):
        assert not re.search(rf"\b{name}\b", page)
    assert not any(tag in ("script", "img") for tag, _ in tags(page))
    assert "&lt;script&gt;" in page  # the answer of the one who tried
    assert "<strong>Mark scheme</strong>" in page
    assert len(re.findall(r'<section class="card">', page)) == 5
    assert codes(grades) == sorted(codes(grades))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_what_tells_who_wrote_an_answer_is_nobody_else_s_to_read(grades: Path) -> None:
    write_review(grades, LAB)
    for key in (grades / "key.txt", grades / "review" / "key.txt"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.slow
def test_points_from_a_spreadsheet_are_merged_everywhere(grades: Path) -> None:
    code = next(c for c in codes(grades) if read_after(grades, c) == "ann")
    filled(grades, {code: "7"}, comment="=Good, but what of latency?")
    assert review(grades, LAB) == 0
    page = (grades / "pages" / "ann.html").read_text()
    assert "=Good, but what of latency?" in page and "7 / 16" in page
    assert "wait for a person" not in page
    rows = {
        row["student"]: row
        for row in csv.DictReader(io.StringIO((grades / "grades.csv").read_text(encoding="utf-8-sig")))
    }
    assert (rows["ann"]["points"], rows["ann"]["4.9"], rows["bob"]["4.9"]) == ("91", "7", "")
    assert review(grades, LAB) == 0  # what is filled in is kept, and its comment does not grow
    assert read_points(grades, LAB)["ann", "4.9"].comment == "=Good, but what of latency?"
    assert load_records(grades)[0].points == 84  # records stay as the grader wrote them


@pytest.mark.slow
def test_a_comment_waits_for_its_points(grades: Path) -> None:
    """Whoever reads twice, for comments and then for points, loses nothing."""
    code = next(c for c in codes(grades) if read_after(grades, c) == "ann")
    filled(grades, {code: ""}, comment="What of latency?")
    for _ in range(2):
        assert review(grades, LAB) == 0
    assert "What of latency?" in (grades / "review" / "points.csv").read_text(encoding="utf-8-sig")
    page = (grades / "pages" / "ann.html").read_text()
    assert "What of latency?" not in page and "waits, of 16" in page
    with (grades / "review" / "points.csv").open("a", encoding="utf-8") as file:
        file.write("\r\nmean,,,,of whom?\r\n")  # a note of the reader's own
    assert review(grades, LAB) == 0


def read_after(grades: Path, code: str) -> str:
    """Whose answer has this code."""
    path = grades / "review" / "points.csv"
    before = path.read_text()
    filled(grades, {code: "1"})
    ((student, _),) = read_points(grades, LAB)
    path.write_text(before)
    return student


def test_an_answer_that_came_later_gets_a_row_and_the_others_keep_theirs(grades: Path) -> None:
    before = codes(grades)
    filled(grades, {before[0]: "3"})
    late = record("late")
    late.save(grades)
    intake = Intake.load(grades)
    replace(intake, students=intake.students | {late.id: Student("late")}).save(grades)
    write_review(grades, LAB)
    assert set(codes(grades)) > set(before)
    assert next(iter(read_points(grades, LAB).values())).points == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("17", "from 0 to 16"), ("-1", "from 0 to 16"), ("seven", "whole number"), ("³", "whole")],
)
def test_points_that_cannot_be_are_named_with_their_line(grades: Path, text: str, sentence: str) -> None:
    filled(grades, {codes(grades)[0]: text})
    with pytest.raises(ReviewError, match=f"points.csv, line 2: .*{sentence}"):
        read_points(grades, LAB)
    assert review(grades, LAB) == 2


@pytest.mark.parametrize(
    ("encoding", "delimiter", "points"),
    [
        ("utf-8", ",", "6"),
        ("utf-8-sig", ";", "6,0"),
        ("cp1252", ";", "6"),
        ("cp1252", ",", "6.0"),
        ("utf-16", "\t", " 6 "),
        ("utf-8", "\t", "6."),
    ],
)
def test_points_come_back_from_any_spreadsheet(
    grades: Path, encoding: str, delimiter: str, points: str
) -> None:
    path = grades / "review" / "points.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    rows[0] |= {"points": points, "comment": "Très bien, Zoë – 5 € ;-)"}
    out = io.StringIO()
    table = csv.DictWriter(out, rows[0].keys(), delimiter=delimiter)
    table.writeheader()
    table.writerows(rows)
    path.write_bytes(out.getvalue().encode(encoding))
    (mark,) = read_points(grades, LAB).values()
    assert (mark.points, mark.comment) == (6, "Très bien, Zoë – 5 € ;-)")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "sep=,\r\n" + text,
        lambda text: "\r\n,,,,\r\nLab 4\r\n" + text,
        lambda text: text.replace("\r\n", "\r"),
        lambda text: text.replace(",", "|"),
        lambda text: text.replace("exercise,answer,points", "Exercise, Answer ,POINTS"),
        lambda text: text.replace(
            "exercise,answer,points,of,comment", "exercise,answer,points,of,a;b;c;d;e;f"
        ),
        lambda text: "\r\n".join(f"mine,{line}" for line in text.split("\r\n")),
        lambda text: text.replace(",6,", ",'6,"),
        lambda text: text.replace(",6,", ",６,"),
        lambda text: f"{text}\r\n\r\nmean,,6.5,,\r\n,,31,,of all\r\nTable 2,,\r\n",
        lambda text: (
            text[: text.index("ex-4-9") + 6] + text[text.index("ex-4-9") + 6 :].replace("ex-4-9", "")
        ),
        lambda text: "\r\n\r\n".join(text.split("\r\n")),
        lambda text: text.lower(),
        lambda text: text.encode("utf-16-le"),
    ],
)
def test_points_come_back_in_any_dialect(grades: Path, change: Callable[[str], str | bytes]) -> None:
    filled(grades, {codes(grades)[0]: "6"})
    path = grades / "review" / "points.csv"
    changed = change(path.read_bytes().decode("utf-8-sig").replace(";", ","))
    path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    (mark,) = read_points(grades, LAB).values()
    assert mark.points == 6


def test_a_line_of_an_answer_without_its_code_and_a_column_that_stands_twice_are_named(grades: Path) -> None:
    path = grades / "review" / "points.csv"
    before = path.read_text(encoding="utf-8-sig")
    path.write_text(f"{before}ex-4-9,,7,,\r\n")
    with pytest.raises(ReviewError, match=r"no answer '' to 'ex-4-9'"):
        read_points(grades, LAB)
    path.write_text(before.replace("of,comment", "of,Points"))
    with pytest.raises(ReviewError, match="the column points stands there twice"):
        read_points(grades, LAB)


def test_a_table_under_another_name_is_named(grades: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("points.xlsx", "points (1).csv", ".~lock.points.csv#"):
        (grades / "review" / name).write_bytes(b"x")
    assert review(grades, LAB) == 0
    said = capsys.readouterr().out
    assert "points (1).csv is not read; save it as points.csv" in said and "points.xlsx is not read" in said
    assert "lock" not in said


def test_a_file_in_the_way_of_the_results_gets_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results").write_text("mine")
    for out in (tmp_path / "results", tmp_path / "results" / "lab4"):
        assert grade(tmp_path, LAB, out) == 2
        assert "there is a file where a folder should be; give another --out" in capsys.readouterr().err
    assert grade(tmp_path, LAB, tmp_path / ("y" * 300)) == 2
    assert "[Errno" not in capsys.readouterr().err


@pytest.mark.parametrize("data", [b"", b"PK\3\4\x14\0" + bytes(range(256)), b"<html><table>"])
def test_a_workbook_is_no_table(grades: Path, data: bytes) -> None:
    (grades / "review" / "points.csv").write_bytes(data)
    with pytest.raises(ReviewError, match="save it as CSV"):
        read_points(grades, LAB)


def test_two_runs_never_work_in_one_folder(grades: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with alone_in(grades):
        assert review(grades, LAB) == 2
        assert grade(grades, LAB, grades) == 2
    assert capsys.readouterr().err.count("another run of grade or review works there") == 2
    assert review(grades, LAB) == 0


def test_tables_open_in_excel_with_their_accents_and_without_a_formula_behind_a_semicolon(
    grades: Path,
) -> None:
    one = record("José a;=1+1", notes=("b;=2+2",))
    intake = Intake((), {one.id: Student(one.student)}, "", ())
    for text in (grades_csv([one], intake, LAB), canvas_csv([one], intake, LAB)):
        assert text.startswith("\ufeff")
        for row in csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"):
            assert not any(cell.startswith("=") for cell in row)


@pytest.mark.slow
def test_a_record_that_a_hand_changed_is_named_and_left_out(
    grades: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record_path(grades, "ann")
    text = path.read_text()
    for changed in (text.replace('"earned": 8,', '"earned": 16,', 1), "[" * 100_000, "[1]", "", "\xff", "{}"):
        path.write_text(changed)
        assert review(grades, LAB) == 0
        assert "ann.json is left out: it is not as the grader wrote it" in capsys.readouterr().out
        assert "ann" not in {
            r["student"] for r in csv.DictReader((grades / "grades.csv").open(encoding="utf-8-sig"))
        }
    path.write_text(text)
    assert review(grades, LAB) == 0
    assert capsys.readouterr().out.count("left out") == 0


def test_a_damaged_record_keeps_its_points_and_stops_nobody(grades: Path) -> None:
    filled(grades, dict.fromkeys(codes(grades), "6"))
    before = read_points(grades, LAB)
    record_path(grades, "ann").write_bytes(b"")
    assert review(grades, LAB) == 0
    assert read_points(grades, LAB) == before
    assert "ann," not in (grades / "grades.csv").read_text() and "bob," in (grades / "grades.csv").read_text()


def test_records_of_nobody_in_the_class_are_not_read(grades: Path) -> None:
    record("ghost").save(grades)
    (grades / "records" / "torn.json").write_text("{ torn")
    assert review(grades, LAB) == 0
    assert "ghost" not in (grades / "grades.csv").read_text()


@pytest.mark.parametrize("number", [0, 5])
def test_another_labs_folder_is_refused_before_anything_is_touched(
    grades: Path, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (grades / "run.json").write_text('{"lab": 4, "seed": 3}')
    before = {path: path.stat().st_mtime_ns for path in grades.rglob("*")}
    assert review(grades, find_lab(number)) == 2
    assert grade(grades / "submissions", find_lab(number), grades) == 2
    assert {path: path.stat().st_mtime_ns for path in grades.rglob("*")} == before
    assert (
        capsys.readouterr().err.count(f"{grades} holds lab 4, not lab {number}: a folder is for one lab.")
        == 2
    )


def test_a_pasted_picture_is_seen_by_the_reader(grades: Path) -> None:
    path = grades / "submissions" / "bob.ipynb"
    notebook = nbformat.reads(handed_in("4.9"), 4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "ex-4-9":
            cell.source = "See ![image.png](attachment:image.png) and ![x](data:image/gif;base64,R0lGOD==)."
            cell.attachments = {"image.png": {"image/png": "iVBORw0KGgo="}, "evil": {"text/html": "<script>"}}
    nbformat.write(notebook, path)
    write_review(grades, LAB)
    page = (grades / "review" / "4.9.html").read_text()
    shown = [attributes["src"] for tag, attributes in tags(page) if tag == "img"]
    assert sorted(shown) == ["data:image/gif;base64,R0lGOD==", "data:image/png;base64,iVBORw0KGgo="]


@pytest.mark.slow
def test_an_answer_of_megabytes_is_cut(grades: Path) -> None:
    path = grades / "submissions" / "bob.ipynb"
    notebook = nbformat.reads(handed_in("4.9"), 4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "ex-4-9":
            cell.source = "a" * 20_000_000
    nbformat.write(notebook, path)
    write_review(grades, LAB)
    page = (grades / "review" / "4.9.html").read_text()
    assert len(page) < 100_000 and "the answer has 20,000,000 characters" in page


def test_a_points_file_that_lost_a_column_or_a_code_is_named(grades: Path) -> None:
    path = grades / "review" / "points.csv"
    kept = path.read_text()
    path.write_text(kept.replace("points", "pts", 1))
    with pytest.raises(ReviewError, match="the column points is missing"):
        read_points(grades, LAB)
    path.write_text(kept + "ex-4-9,NOBODY,3,16,\r\n")
    with pytest.raises(ReviewError, match="there is no answer 'NOBODY'"):
        read_points(grades, LAB)


def test_totals_add_up() -> None:
    assert Total.of(record("ann")) == Total(points=84, possible=100, bonus=10, waiting=16)
