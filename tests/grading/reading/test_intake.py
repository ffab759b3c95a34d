"""What an LMS exports: every student found, nothing written where a name says, the latest of several kept."""

from __future__ import annotations

import io
import json
import os
import random
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficientlab.exercises.labs import find_lab
from efficientlab.grading.reading import archive
from efficientlab.grading.reading.archive import ArchiveError
from efficientlab.grading.reading.intake import Intake, take_in
from efficientlab.grading.reading.notebook import SubmissionError
from efficientlab.grading.reading.owners import RULES, choose_rule
from efficientlab.grading.reading.roster import Student, assign_ids
from efficientlab.grading.reading.submission import read_submission
from efficientlab.grading.record import record_id

LAB = find_lab(4)


def notebook(text: str = "def clip_logits(b, v):\n    return v") -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", "source": text, "metadata": {}}]}).encode()


def other() -> bytes:
    return notebook("x = 1")


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members.items():
            out.writestr(name, data)
    return path


def make_folder(path: Path, members: dict[str, bytes]) -> Path:
    for name, data in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


CANVAS = {
    "doejane_1234_99001_lab4_tsm.ipynb": notebook(),
    "doejane_1234_99007_lab4_tsm-1.ipynb": notebook("def clip_logits(b, v):\n    return 7"),
    "smithbob_LATE_5678_99002_my notebook.ipynb": notebook(),
}
MOODLE = {
    "Jane Doe_4711_assignsubmission_file_/lab4_tsm.ipynb": notebook(),
    "José Ñandú_4712_assignsubmission_file/a/b/lab4.ipynb": notebook(),
    "Participant_4713_assignsubmission_file_lab4.ipynb": notebook(),
}
GRADESCOPE = {
    "assignment_5_export/submission_1/lab4.ipynb": notebook(),
    "assignment_5_export/submission_2/lab4.ipynb": notebook(),
    "assignment_5_export/submission_metadata.yml": b"""---
submission_1:
  :submitters:
  - :name: Jane Doe
    :sid: "12"
    :email: jane@example.edu
  :created_at: 2026-11-20 10:11:12.000000000 Z
submission_2:
  :submitters:
  - :name: Bob Smith
    :sid: "13"
    :email: bob@example.edu
""",
}
FOLDERS = {"class/jane/lab4/lab4_tsm.ipynb": notebook(), "class/bob/lab4_tsm.ipynb": notebook()}
FILES = {"jane.ipynb": notebook(), "bob (1).ipynb": notebook(), "notes.txt": b"hello"}


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize(
    ("members", "rule", "students"),
    [
        (CANVAS, "Canvas", {"doejane_1234", "smithbob_5678"}),
        (MOODLE, "Moodle", {"Jane Doe_4711", "José Ñandú_4712", "Participant_4713"}),
        (GRADESCOPE, "Gradescope", {"Jane Doe_12", "Bob Smith_13"}),
        (FOLDERS, "the folder", {"jane", "bob"}),
        (FILES, "file name", {"jane", "bob"}),
    ],
    ids=["Canvas", "Moodle", "Gradescope", "folders", "files"],
)
def test_students_are_recognised_and_the_rule_is_told(
    form: str, members: dict[str, bytes], rule: str, students: set[str], tmp_path: Path
) -> None:
    make = make_zip if form == "zip" else make_folder
    intake = take_in(make(tmp_path / "export.zip", members), tmp_path / "grades", LAB)
    assert {f"{s.name}_{s.lms_id}".rstrip("_") for s in intake.students.values()} == students
    assert rule in intake.rule
    for one in intake.incoming:
        assert one.path.parent == tmp_path / "grades" / "submissions"
        assert read_submission(one.path, LAB).answers("4.1")
        assert record_id(one.id) == one.id


def test_a_saved_intake_comes_back_without_its_notebooks(tmp_path: Path) -> None:
    intake = take_in(make_zip(tmp_path / "e.zip", GRADESCOPE), tmp_path, LAB)
    intake.save(tmp_path)
    again = Intake.load(tmp_path)
    assert (again.students, again.rule, again.notes) == (intake.students, intake.rule, intake.notes)
    jane = next(one for one in intake.incoming if one.student == "Jane Doe")
    assert jane.submitted == "2026-11-20T10:11:12+00:00"
    assert intake.students[jane.id].email == "jane@example.edu"


def test_of_two_notebooks_the_latest_counts_and_the_report_says_so(tmp_path: Path) -> None:
    intake = take_in(make_zip(tmp_path / "e.zip", CANVAS), tmp_path, LAB)
    jane, bob = intake.incoming
    assert read_submission(jane.path, LAB).cells[0].source.endswith("return 7")
    assert any(
        "2 notebooks were handed in; doejane_1234_99007_lab4_tsm-1.ipynb counts" in n for n in jane.notes
    )
    assert bob.notes == ("Canvas marks it as late.",)


def test_of_two_notebooks_one_without_answers_is_passed_over(tmp_path: Path) -> None:
    folder = make_folder(
        tmp_path / "e", {"jane/lab4.ipynb": notebook(), "jane/scratch.ipynb": other(), "bob/x.ipynb": other()}
    )
    os.utime(folder / "jane/lab4.ipynb", (1, 1))
    bob, jane = take_in(folder, tmp_path, LAB).incoming
    assert any(
        "passed over, as no exercise of this lab is in it: jane/scratch.ipynb" in note for note in jane.notes
    )
    assert read_submission(jane.path, LAB).answers("4.1")
    with pytest.raises(SubmissionError, match="no exercise of lab 4"):
        read_submission(bob.path, LAB)


def test_what_systems_leave_behind_is_no_submission(tmp_path: Path) -> None:
    members = {
        "jane.ipynb": notebook(),
        "__MACOSX/._jane.ipynb": b"\0\5\26\7",
        "._bob.ipynb": b"\0",
        ".ipynb_checkpoints/jane-checkpoint.ipynb": notebook(),
        ".DS_Store": b"x",
    }
    for make in (make_zip, make_folder):
        intake = take_in(make(tmp_path / make.__name__, members), tmp_path / "grades", LAB)
        assert [one.student for one in intake.incoming] == ["jane"]


def test_a_zip_that_a_student_handed_in_is_opened(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as out:
        out.writestr("victim_777_888_lab4.ipynb", notebook())  # it may not speak for another student
        out.writestr("submission_1/lab4.ipynb", other())
    intake = take_in(
        make_zip(tmp_path / "e.zip", {**CANVAS, "malory_666_99009_work.zip": inner.getvalue()}), tmp_path, LAB
    )
    assert sorted(s.name for s in intake.students.values()) == ["doejane", "malory", "smithbob"]
    (malory,) = (one for one in intake.incoming if one.student == "malory")
    assert read_submission(malory.path, LAB).answers("4.1")


def test_a_student_cannot_bring_metadata_for_others(tmp_path: Path) -> None:
    forged = b"submission_1:\n  :submitters:\n  - :name: Nobody\n"
    members = {
        "a/submission_2/submission_metadata.yml": forged,
        **{f"a/{k}": v for k, v in GRADESCOPE.items()},
    }
    intake = take_in(make_zip(tmp_path / "e.zip", members), tmp_path, LAB)
    assert sorted(s.name for s in intake.students.values()) == ["Bob Smith", "Jane Doe"]


def test_names_that_climb_out_write_nothing_outside(tmp_path: Path) -> None:
    members = {
        "../../evil.ipynb": notebook(),
        "/etc/passwd.ipynb": notebook(),
        "C:\\windows\\x.ipynb": notebook(),
        "jane/../../../bob.ipynb": notebook(),
    }
    grades = tmp_path / "in" / "grades"
    make_zip(tmp_path / "e.zip", members)
    before = set(tmp_path.iterdir())
    intake = take_in(tmp_path / "e.zip", grades, LAB)
    assert set(tmp_path.iterdir()) - before == {tmp_path / "in"}
    assert {p.parent for p in grades.rglob("*.ipynb")} == {grades / "submissions"}
    assert len(intake.incoming) >= 3


def test_folders_without_an_end_fill_no_page(tmp_path: Path) -> None:
    deep = archive._safe_path("/".join(["ann", *(f"{n:0200}" for n in range(300)), "lab4.ipynb"]))
    assert (deep.parts[0], deep.name) == ("ann", "lab4.ipynb")
    assert len(str(deep)) < 5_000


def test_symbolic_links_are_left_out(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as out:
        info = zipfile.ZipInfo("link.ipynb")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        out.writestr(info, "/etc/passwd")
        out.writestr("jane.ipynb", notebook())
    folder = make_folder(tmp_path / "folder", {"jane.ipynb": notebook()})
    (folder / "link.ipynb").symlink_to("/etc/passwd")
    (folder / "up").symlink_to(tmp_path)
    for source in (tmp_path / "e.zip", folder):
        intake = take_in(source, tmp_path / "grades", LAB)
        assert [one.student for one in intake.incoming] == ["jane"]
        assert "link.ipynb is a symbolic link and was left out." in intake.notes


def test_a_bomb_is_not_unpacked_and_its_student_is_told(tmp_path: Path) -> None:
    make_zip(tmp_path / "e.zip", {"jane.ipynb": notebook(), "bomb.ipynb": b"\0" * 30_000_000})
    intake = take_in(tmp_path / "e.zip", tmp_path, LAB)
    (bomb, jane) = intake.incoming
    assert jane.notes == ()
    assert (
        bomb.refused == "bomb.ipynb could not be read: the file would unpack to hundreds of times its size."
    )
    assert bomb.path.stat().st_size == 0


def test_a_header_that_lies_about_its_size_is_no_way_in(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "e.zip", {"bomb.ipynb": b"\0" * 80_000_000})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\1\2")
    struct.pack_into("<L", data, at + 24, 1000)  # the unpacked size in the table of contents
    path.write_bytes(data)
    (bomb,) = take_in(path, tmp_path, LAB).incoming
    assert bomb.path.stat().st_size <= 1000
    assert "could not be read" in bomb.refused or bomb.path.stat().st_size == 1000


def test_too_many_files_or_a_huge_table_of_contents_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_zip(tmp_path / "e.zip", {f"{i}.ipynb": b"" for i in range(40)})
    monkeypatch.setattr(archive, "MAX_FILES", 30)
    with pytest.raises(ArchiveError, match="more than 30 files"):
        take_in(path, tmp_path, LAB)
    monkeypatch.setattr(archive, "MAX_DIRECTORY", 1000)
    with pytest.raises(ArchiveError, match="table of contents has"):
        take_in(path, tmp_path, LAB)


@pytest.mark.parametrize("damage", ["crc", "truncated", "encrypted", "method"])
def test_a_damaged_member_costs_its_student_and_no_other(damage: str, tmp_path: Path) -> None:
    path = make_zip(
        tmp_path / "e.zip", {"jane.ipynb": notebook(), "zoe.ipynb": notebook("def clip_logits(): 3")}
    )
    data = bytearray(path.read_bytes())
    central = data.rfind(b"PK\1\2")
    local = data.rfind(b"PK\3\4")
    if damage == "crc":
        struct.pack_into("<L", data, central + 16, 12345)
    elif damage == "truncated":
        data[local + 40 : local + 60] = b"\xff" * 20
    elif damage == "encrypted":
        struct.pack_into("<H", data, central + 8, 1)
    else:
        struct.pack_into("<H", data, central + 10, 97)
    path.write_bytes(data)
    jane, zoe = take_in(path, tmp_path, LAB).incoming
    assert read_submission(jane.path, LAB).answers("4.1")
    assert "zoe.ipynb could not be read" in zoe.refused


def test_names_in_any_encoding_are_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as out:
        out.writestr("Zoë Müller.ipynb", notebook())
        out.writestr("ascii.ipynb", notebook())
    data = bytearray((tmp_path / "e.zip").read_bytes())
    for signature, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        at = data.find(signature)
        struct.pack_into("<H", data, at + offset, 0)  # UTF-8 without saying so, as macOS and Moodle do
    (tmp_path / "e.zip").write_bytes(data)
    assert {s.name for s in take_in(tmp_path / "e.zip", tmp_path, LAB).students.values()} == {
        "Zoë Müller",
        "ascii",
    }


def test_a_name_in_unicode_beside_a_lost_one_is_read(tmp_path: Path) -> None:
    """As Info-ZIP writes it on Windows: question marks, and the right name in a field of its own."""
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as out:
        for i, name in enumerate(["王小明", "李雷"]):
            raw = f"???_{i}/x.ipynb".encode()
            right = f"{name}/x.ipynb".encode()
            crc = zlib.crc32(raw) if i == 0 else 7  # another tool renamed the second
            info = zipfile.ZipInfo(raw.decode())
            info.extra = struct.pack("<HHBL", 0x7075, 5 + len(right), 1, crc) + right
            out.writestr(info, notebook())
    students = take_in(tmp_path / "e.zip", tmp_path / "g", LAB).students.values()
    assert {s.name for s in students} == {"王小明", "???_1"}


def test_ids_are_safe_distinct_and_the_same_in_the_next_run(tmp_path: Path) -> None:
    members = {
        f"{name}.ipynb": notebook() for name in ("Ann", "ann", "安娜", "Żółć", "a" * 200, "x y", "x-y")
    }
    ids = []
    for run in ("1", "2"):
        intake = take_in(make_zip(tmp_path / f"{run}.zip", members), tmp_path / run, LAB)
        ids.append([one.id for one in intake.incoming])
        assert len({one.casefold() for one in ids[-1]}) == len(members)
    assert ids[0] == ids[1]


def test_a_file_under_another_name_is_graded_and_named(tmp_path: Path) -> None:
    folder = make_folder(
        tmp_path / "e",
        {"jane/lab4.ipynb.txt": notebook(), "bob/lab4.pdf": b"%PDF", "zoe/lab4.IPYNB": notebook()},
    )
    bob, jane, zoe = take_in(folder, tmp_path, LAB).incoming
    assert read_submission(jane.path, LAB).answers("4.1")
    assert read_submission(zoe.path, LAB).answers("4.1")
    assert bob.notes == ("the file lab4.pdf is not called .ipynb.",)
    with pytest.raises(SubmissionError, match="not a notebook"):
        read_submission(bob.path, LAB)


def test_one_notebook_is_a_batch_of_one(tmp_path: Path) -> None:
    (tmp_path / "jane.ipynb").write_bytes(notebook())
    (one,) = take_in(tmp_path / "jane.ipynb", tmp_path / "grades", LAB).incoming
    assert one.student == "jane"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"PK\3\4 not a zip", "not a zip archive"), (None, "no such file or folder")],
)
def test_what_is_no_export_gets_one_sentence(content: bytes | None, sentence: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "e.zip").write_bytes(content)
    with pytest.raises(ArchiveError, match=sentence):
        take_in(tmp_path / "e.zip", tmp_path, LAB)


def test_an_empty_export_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no notebook"):
        take_in(make_zip(tmp_path / "e.zip", {}), tmp_path, LAB)


def test_a_member_without_a_name_is_a_file_like_others(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "e.zip", {"jane.ipynb": notebook(), "bob/x.ipynb": other()})
    content = bytearray(path.read_bytes())
    content[content.rfind(b"jane.ipynb")] = 0  # in the table of contents: a name ends where it begins
    path.write_bytes(content)
    intake = take_in(path, tmp_path / "grades", LAB)
    assert [one.student for one in intake.incoming] == ["bob", "unnamed"]


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_zip_with_any_bytes_changed_gives_a_batch_or_one_sentence(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tmp_path = tmp_path_factory.mktemp("fuzz")
    path = make_zip(tmp_path / "e.zip", {"jane.ipynb": notebook(), "bob/x.ipynb": other()})
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        intake = take_in(path, tmp_path / "grades", LAB)
    except ArchiveError:
        return
    assert all(one.path.parent == tmp_path / "grades" / "submissions" for one in intake.incoming)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.slow
def test_any_export_is_a_class_or_one_sentence(tmp_path: Path) -> None:
    """A short run of the fuzzer beside this file: `python tests/grading/reading/fuzz_zips.py SECONDS` goes on."""
    from fuzz_zips import one_reader, round_of

    outcomes = set()
    with one_reader():
        for number in range(120):
            folder = tmp_path / str(number)
            folder.mkdir()
            outcomes.add(round_of(random.Random(number), folder))
    assert outcomes == {"taken", "refused"}


WORD = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12) | st.sampled_from(
    [
        "lab4_tsm",
        "lab4",
        "section 1",
        "submission_7",
        "ann",
        "1234",
        "99001",
        "assignsubmission_file_",
        "..",
        ".",
        "",
    ]
)
NAME = st.lists(st.lists(WORD, max_size=4).map("_".join), min_size=1, max_size=5).map("/".join)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(
    paths=st.lists(
        st.tuples(NAME, st.sampled_from([".ipynb", ".IPYNB", ".pdf", ".zip", "", ".html"])), max_size=8
    )
)
def test_every_name_gives_owners_or_a_note(paths: list[tuple[str, str]]) -> None:
    """Whatever files are called, a rule is found, and each notebook that is no leftover is somebody's or is named."""
    files = {}
    for name, suffix in paths:
        path = archive._safe_path(name + suffix)
        files[path] = archive.Found(path, 0.0, bytes, archive._leftover(path))
    notes: list[str] = []
    rule, claim = choose_rule(list(files.values()), LAB.slug, lambda folder: (Student(folder), None), notes)
    assert rule in RULES and all(archive.printable(note) == note for note in notes)
    for found in files.values():
        mine = claim(found)
        assert mine is None or (
            mine.found is found and archive.printable(mine.student.name) == mine.student.name
        )
    claimed = [mine.student for found in files.values() if (mine := claim(found))]
    ids = assign_ids(claimed, {})
    assert set(ids.values()) == set(claimed) and all(record_id(identity) == identity for identity in ids)
