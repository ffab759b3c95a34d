"""Exports as instructors get them: nobody is lost, everybody is recognised, and the right notebook counts."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from efficientlab.exercises.labs import find_lab
from efficientlab.grading.reading.archive import ArchiveError
from efficientlab.grading.reading.intake import Intake, take_in
from efficientlab.grading.reading.roster import Student, assign_ids

LAB = find_lab(4)
NAMES = [e.check.name for e in LAB.exercises if e.check]


def notebook(*names: str, mark: str = "", lab: int | None = None) -> bytes:
    """A notebook that defines these names; without any, the first three of the lab."""
    cells = [f"def {name}(*a, **k):\n    return '{mark}'" for name in names or NAMES[:3]]
    if lab is not None:
        cells.insert(0, f"from efficientlab.exercises.lab{lab} import lab")
    return json.dumps({"cells": [{"cell_type": "code", "source": s, "metadata": {}} for s in cells]}).encode()


BLANK = json.dumps(
    {
        "cells": [
            {
                "cell_type": "code",
                "source": f"def {n}(*a):\n    raise NotImplementedError('Exercise')",
                "metadata": {},
            }
            for n in NAMES
        ]
    }
).encode()


def zipped(members: dict[str, bytes] | list[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, data)
    return out.getvalue()


def unpacked(folder: Path, members: dict[str, bytes]) -> Path:
    for name, data in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def taken(tmp_path: Path, members: dict[str, bytes], grades: str = "grades") -> Intake:
    """The intake of a zip with these members; what it says of the class is saved, as `grade` does."""
    (tmp_path / "export.zip").write_bytes(zipped(members))
    intake = take_in(tmp_path / "export.zip", tmp_path / grades, LAB)
    intake.save(tmp_path / grades)
    return intake


def people(intake: Intake) -> list[str]:
    return sorted(one.student for one in intake.incoming)


def refused(intake: Intake) -> dict[str, str]:
    return {one.student: one.refused for one in intake.incoming if one.refused}


EMPTY_ZIPS = {
    "empty": zipped({}),
    "mac": zipped({"__MACOSX/._lab4_tsm.ipynb": b"\0\5\26\7", ".DS_Store": b"x"}),
    "check": zipped({".ipynb_checkpoints/lab4_tsm-checkpoint.ipynb": notebook()}),
    "hidden": zipped({".lab4_tsm.ipynb": notebook(), "~$lab4.docx": b""}),
}


# nobody is lost


@pytest.mark.parametrize(
    "form",
    [
        "{}_77_88_lab4.zip",
        "{}_77_assignsubmission_file_/lab4.zip",
        "{}.zip",
        "{}/lab4.zip",
        "class/{}/homework/lab4.zip",
    ],
)
@pytest.mark.parametrize("kind", EMPTY_ZIPS)
def test_a_zip_with_nothing_in_it_has_a_page_that_says_so(form: str, kind: str, tmp_path: Path) -> None:
    members = {form.format("eve").replace("77", "76"): EMPTY_ZIPS[kind]}
    members |= {form.format(name): zipped({"lab4_tsm.ipynb": notebook()}) for name in ("doe", "roe")}
    members |= {
        form.format("doe").replace("_77_88", "_78_89").replace("77", "78"): zipped({"a.ipynb": notebook()})
    }
    intake = taken(tmp_path, members)
    assert set(people(intake)) == {"eve", "doe", "roe"}
    word = {"empty": "an empty zip", "mac": "left by macOS", "check": "a checkpoint", "hidden": "hidden"}[
        kind
    ]
    assert word in refused(intake)["eve"] and "no notebook was handed in" in refused(intake)["eve"]


def test_texts_and_links_in_canvas_have_pages(tmp_path: Path) -> None:
    members = {
        "doejane_1234_99001_lab4_tsm.ipynb": notebook(),
        "roebob_1235_text.html": b"<p>my answer</p>",
        "linklily_LATE_1236_link.html": b"<a href='https://colab.research.google.com'>x</a>",
        "bothben_1237_text.html": b"see file",
        "bothben_1237_99004_lab4.ipynb": notebook(),
        "anon_x9Kq2_text.html": b"x",
    }
    intake = taken(tmp_path, members)
    assert people(intake) == ["anon_x9Kq2", "bothben", "doejane", "linklily", "roebob"]
    assert "typed into Canvas" in refused(intake)["roebob"] and "a link" in refused(intake)["linklily"]
    assert "bothben" not in refused(intake)
    assert intake.notes == ()


def test_an_archive_that_cannot_be_opened_is_its_owners(tmp_path: Path) -> None:
    members = {
        "ann_1_10_lab4.rar": b"Rar!\x1a\7",
        "bob_2_11_lab4.ipynb": notebook(),
        "cyd_3_12_lab4.zip": b"PK\3\4 broken",
    }
    assert people(taken(tmp_path, members)) == ["ann", "bob", "cyd"]


# whose it is


@pytest.mark.parametrize("share", [1, 2, 4])
def test_a_canvas_name_may_have_an_underscore(share: int, tmp_path: Path) -> None:
    members = {f"plain{i}_{100 + i}_{900 + i}_lab4_tsm.ipynb": notebook() for i in range(4 - share)}
    members |= {f"smith_jr{i}_{200 + i}_{800 + i}_lab4_tsm.ipynb": notebook() for i in range(share)}
    members |= {"von_der_a_LATE_300_700_work, (2).ipynb": notebook()}
    intake = taken(tmp_path, members)
    assert {(s.name, s.lms_id) for s in intake.students.values()} >= {
        ("smith_jr0", "200"),
        ("von_der_a", "300"),
    }
    assert len(intake.incoming) == 5


def test_canvas_grades_anonymously(tmp_path: Path) -> None:
    members = {
        "anon_x9Kq2_99001_lab4_tsm.ipynb": notebook(mark="1"),
        "anon_x9Kq2_99005_lab4_tsm-1.ipynb": notebook(mark="2"),
        "LATE_anon_7Ahz3_99002_lab4_tsm.ipynb": notebook(),
    }
    intake = taken(tmp_path, members)
    assert {s.lms_id for s in intake.students.values()} == {"x9Kq2", "7Ahz3"}
    late = next(one for one in intake.incoming if one.student == "anon_7Ahz3")
    assert late.notes == ("Canvas marks it as late.",)


@pytest.mark.parametrize("wrapper", ["lab4-submissions/", "", "a/b/"])
@pytest.mark.parametrize("stray", [["lab4_tsm.ipynb"], ["lab4_tsm.ipynb", "lab4.ipynb", "solution.ipynb"]])
def test_a_starter_notebook_beside_the_students_is_of_nobody(
    wrapper: str, stray: list[str], tmp_path: Path
) -> None:
    members = {f"{wrapper}{name}": BLANK for name in stray}
    members |= {f"{wrapper}{name}/lab4_tsm.ipynb": notebook() for name in ("alice", "bob", "carol")}
    intake = taken(tmp_path, members)
    assert people(intake) == ["alice", "bob", "carol"]
    assert any("lab4_tsm.ipynb belongs to no student" in note for note in intake.notes)


@pytest.mark.parametrize("wrapper", ["", "Lab 4 hand-ins/", "x/y/"])
@pytest.mark.parametrize(
    "form", ["lab4_tsm-{}.ipynb", "{}_lab4.ipynb", "Lab 4 - {}.ipynb", "lab4_{}.ipynb", "{}.ipynb"]
)
def test_files_may_be_called_after_lab_and_student(wrapper: str, form: str, tmp_path: Path) -> None:
    members = {wrapper + form.format(name): notebook() for name in ("alice", "bob", "carol")}
    assert people(taken(tmp_path, members)) == ["alice", "bob", "carol"]


def test_downloads_of_one_name_are_not_merged(tmp_path: Path) -> None:
    members = {
        "lab4_tsm.ipynb": notebook(),
        "lab4_tsm (1).ipynb": notebook(),
        "lab4_tsm (2).ipynb": notebook(),
    }
    assert len(taken(tmp_path, members).incoming) == 3


@pytest.mark.parametrize("wrapper", ["", "class/"])
@pytest.mark.parametrize(
    "form",
    ["{section}/{name}.ipynb", "{section}/{name}/lab4_tsm.ipynb", "{section}/{name}/labs/lab4_tsm.ipynb"],
)
def test_folders_of_sections_hold_students(wrapper: str, form: str, tmp_path: Path) -> None:
    members = {
        wrapper + form.format(section=section, name=name): notebook()
        for section, names in (("section1", ("ann", "bea")), ("section2", ("cyd", "dan")))
        for name in names
    }
    assert people(taken(tmp_path, members)) == ["ann", "bea", "cyd", "dan"]


@pytest.mark.parametrize(
    "inside",
    [
        ["lab4_tsm.ipynb", "lab4_tsm-Copy1.ipynb", "Untitled.ipynb"],
        ["lab0/lab0_cost.ipynb", "lab1/lab1_gan.ipynb", "lab4/lab4_tsm.ipynb"],
        ["labs/lab0_cost.ipynb", "labs/lab4_tsm.ipynb"],
        ["lab4_tsm.ipynb", "old/lab4_tsm.ipynb"],
    ],
)
def test_what_lies_in_a_students_folder_is_the_students(inside: list[str], tmp_path: Path) -> None:
    members = {f"class/{name}/{path}": notebook() for name in ("alice", "bob", "carol") for path in inside}
    assert people(taken(tmp_path, members)) == ["alice", "bob", "carol"]


def test_shadow_copies_never_count(tmp_path: Path) -> None:
    shadows = [
        ".history/lab4_tsm_2026.ipynb",
        "._lab4_tsm.ipynb",
        "~$lab4_tsm.ipynb",
        ".ipynb_checkpoints/x.ipynb",
    ]
    folder = unpacked(tmp_path / "in", {f"jane/{name}": notebook(mark="old") for name in shadows})
    unpacked(folder, {"jane/lab4_tsm.ipynb": notebook(mark="right"), "bob/lab4_tsm.ipynb": notebook()})
    os.utime(folder / "jane/lab4_tsm.ipynb", (1, 1))
    intake = take_in(folder, tmp_path / "grades", LAB)
    jane = next(one for one in intake.incoming if one.student == "jane")
    assert b"right" in jane.path.read_bytes()


def test_reports_beside_the_submissions_are_no_submissions(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "in", {f"{name}.ipynb": notebook() for name in ("ann", "bob")})
    for _ in range(2):
        intake = take_in(folder, folder / "grades", LAB)
        intake.save(folder / "grades")
        assert people(intake) == ["ann", "bob"]
        assert intake.notes == ()


def test_a_hidden_notebook_and_a_pipe_are_named(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "in", {".ann.ipynb": notebook(), "bob.ipynb": notebook()})
    os.mkfifo(folder / "pipe.ipynb")
    notes = " ".join(take_in(folder, tmp_path / "grades", LAB).notes)
    assert ".ann.ipynb (hidden) belongs to no student" in notes and "pipe.ipynb is no ordinary file" in notes


# systems beside the first three

BLACKBOARD = "gradebook_2026-VIS_Lab20420-20TSM_{}_attempt_2026-11-{}-10-11-12"
BRIGHTSPACE = "{}-8801 - {} - Nov {}, 2026 1011 AM"


def test_blackboard_names_the_user_and_the_attempt(tmp_path: Path) -> None:
    members = {
        BLACKBOARD.format("jdoe", 22) + "_lab4_tsm.ipynb": notebook(mark="second"),
        BLACKBOARD.format("jdoe", 20) + "_x_attempt_2026-11-23-10-11-12_y.ipynb": notebook(mark="first"),
        BLACKBOARD.format("jdoe", 20) + ".txt": b"Name: Jane Doe (jdoe)",
        BLACKBOARD.format("a_roe", 21) + "_mine.ipynb": notebook(),
        BLACKBOARD.format("tina", 21) + ".txt": b"Submission Field: see my mail",
    }
    intake = taken(tmp_path, members)
    assert people(intake) == ["Jane Doe", "a_roe", "tina"] and "by Blackboard" in intake.rule
    assert {s.lms_id for s in intake.students.values()} == {"jdoe", ""}
    assert "typed into Blackboard" in refused(intake)["tina"]
    jane = next(one for one in intake.incoming if one.student == "Jane Doe")
    assert b"second" in jane.path.read_bytes()


def test_blackboard_says_where_a_user_begins(tmp_path: Path) -> None:
    """Users who share a start, as `stu_01` and `stu_02`, in one export and in the next."""
    first = {f"Lab_4_stu_0{i}_attempt_2026-11-0{i}-10-11-12": i for i in (1, 2)}
    members = {f"{name}_x.ipynb": notebook() for name in first}
    members |= {
        f"{name}.txt": f"Name: Ann {i} (stu_0{i})\r\nName: Bob (bob)".encode() for name, i in first.items()
    }
    students = taken(tmp_path, members).students
    assert {(s.name, s.lms_id) for s in students.values()} == {("Ann 1", "stu_01"), ("Ann 2", "stu_02")}
    again = {name: data for name, data in members.items() if "stu_01" in name}
    again |= {"Lab_4_bob_attempt_2026-11-03-10-11-12_x.ipynb": notebook()}
    assert len(taken(tmp_path, again).students) == 3


@pytest.mark.parametrize(
    "form", ["{}/lab4_tsm.ipynb", "Lab 4 Download/{}/lab4_tsm.ipynb", "{} - lab4 2026.ipynb"]
)
def test_brightspace_names_the_person_and_the_time(form: str, tmp_path: Path) -> None:
    names = [
        BRIGHTSPACE.format(*who)
        for who in ((11, "Ann - Lee", 20), (11, "Ann - Lee", 23), (12, "Bob Roe", 21))
    ]
    members = {form.format(name): notebook(mark=name[-16:-14]) for name in names} | {"index.html": b"<html>"}
    intake = taken(tmp_path, members)
    assert {(s.name, s.lms_id) for s in intake.students.values()} == {
        ("Ann - Lee", "11-8801"),
        ("Bob Roe", "12-8801"),
    }
    ann = next(one for one in intake.incoming if one.student == "Ann - Lee")
    assert b"23" in ann.path.read_bytes()


@pytest.mark.parametrize("time", ["2026-11-{} 1011", "{} novembre 2026 1011"])
def test_brightspace_writes_times_in_many_ways(time: str, tmp_path: Path) -> None:
    who = [("Ann - Lee", 20), ("Ann - Lee", 23), ("Bob Roe", 21)]
    members = {
        f"{len(name)}-8801 - {name} - {time.format(day)}/x.ipynb": notebook(mark=str(day))
        for name, day in who
    }
    intake = taken(tmp_path, members)
    assert people(intake) == ["Ann - Lee", "Bob Roe"] and "Brightspace" in intake.rule
    assert b"23" in intake.incoming[0].path.read_bytes()


def test_other_plugins_of_moodle_hand_in_too(tmp_path: Path) -> None:
    members = {f"{n}_{i}_assignsubmission_mahara/x.ipynb": notebook() for i, n in enumerate(("Ann", "Bob"))}
    assert people(taken(tmp_path, members)) == ["Ann", "Bob"]


def test_files_that_answer_a_question_of_a_quiz_are_their_authors(tmp_path: Path) -> None:
    members = {f"{n}_{i}_question_777_99_x.ipynb": notebook() for i, n in ((11, "ann"), (12, "bob"))}
    students = taken(tmp_path, members).students.values()
    assert {(s.name, s.lms_id) for s in students} == {("ann", "11"), ("bob", "12")}


def test_people_who_share_a_number_keep_their_records_by_name() -> None:
    class_ = [Student(name, "777") for name in ("ann", "bob", "cyd")]
    known = assign_ids(class_, {})
    assert assign_ids(class_[::-1], dict(reversed(known.items()))) == known


# sections and whatever else holds several people's


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["F26/s{}/submissions/{}_{}_99_lab4.ipynb"], ["ann", "bob", "cyd", "dan"]),
        (["s{0}/{1}/lab4_tsm.ipynb", "s3/eve/lab4_tsm.ipynb"], ["ann", "bob", "cyd", "dan", "eve"]),
        (["section{0}/{1}.ipynb", "section3/eve.ipynb"], ["ann", "bob", "cyd", "dan", "eve"]),
        (["2026-11-2{0}/{1}.ipynb", "2026-11-22/ann.ipynb"], ["ann", "bob", "cyd", "dan"]),
        (["{1}/lab4_tsm.ipynb", "late/eve/lab4_tsm.ipynb"], ["ann", "bob", "cyd", "dan", "eve"]),
        (["{1}.ipynb", "late submissions/eve.ipynb"], ["ann", "bob", "cyd", "dan", "eve"]),
        (["lab4/{1}/lab4_tsm.ipynb", "lab3/{1}/lab3_x.ipynb"], ["ann", "bob", "cyd", "dan"]),
        (["section {0}/2026-11-2{2}/{1}.ipynb"], ["ann", "bob", "cyd", "dan"]),
        (["class/10{2}.ipynb"], ["101", "102", "103", "104"]),
        (["class/lab4_tsm_{2}.ipynb"], ["lab4_tsm_1", "lab4_tsm_2", "lab4_tsm_3", "lab4_tsm_4"]),
        (["s{0}/123456{2}.ipynb"], ["1234561", "1234562", "1234563", "1234564"]),
        (["lab4_tsm_123456{2}.ipynb"], ["1234561", "1234562", "1234563", "1234564"]),
        (["s{0}/{1}/20261120101112_lab4.ipynb", "s{0}/{1}/20261121101112_lab4.ipynb"], ["ann", "bob", "cyd", "dan"]),
        (["{1}/{1}_v1.ipynb", "{1}/{1}-final.ipynb"], ["ann", "bob", "cyd", "dan"]),
        (["Takeout/Lab 4/{1} - Copy of lab4_tsm.ipynb"], ["ann", "bob", "cyd", "dan"]),
    ],
)  # fmt: skip
def test_everybody_is_found_below_folders_of_any_kind(
    names: list[str], found: list[str], tmp_path: Path
) -> None:
    class_ = [(1, "ann", 1), (1, "bob", 2), (2, "cyd", 3), (2, "dan", 4)]
    members = {name.format(*who): notebook() for name in names for who in class_}
    assert people(taken(tmp_path, members)) == found


@pytest.mark.parametrize("form", ["submission {}/project{}.ipynb", "day {}/project.ipynb"])
def test_folders_of_one_kind_with_one_file_each_are_a_students_each(form: str, tmp_path: Path) -> None:
    members = {form.format(i, "abcd"[i]): notebook() for i in range(4)}
    assert people(taken(tmp_path, members)) == sorted(name.split("/")[0] for name in members)


def test_one_students_folders_do_not_name_the_class(tmp_path: Path) -> None:
    tops = {"ann": ["vision"], "bob": ["mycode"], "cyd": ["netw"], "mal": ["some", "thing"], "zoe": ["lab4"]}
    members = {
        f"{name}.zip": zipped({f"{top}/lab4_tsm.ipynb": notebook() for top in inside})
        for name, inside in tops.items()
    }
    assert people(taken(tmp_path, members)) == sorted(tops)


def test_a_folder_that_may_hold_several_peoples_is_doubted_aloud(tmp_path: Path) -> None:
    members = {f"{name}/lab4_tsm.ipynb": notebook() for name in ("ann", "bob", "cyd")}
    intake = taken(tmp_path, members | {"extra/dan.ipynb": notebook(), "extra/eve.ipynb": notebook()})
    assert "extra is taken for one student's; if it holds several (dan.ipynb, eve.ipynb)" in " ".join(
        intake.notes
    )
    assert not any("ann" in note for note in intake.notes)


FILE = "lab4_tsm.ipynb"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        # a folder of an LMS's names inside of an export of that LMS
        (["a_1_9_x.ipynb", "b_2_9_x.ipynb", "late/c_3_9_x.ipynb", "late/d_4_9_x.ipynb"], "a b c d"),
        (["a_1_9_x.ipynb", "b_2_9_x.ipynb", "submissions (1)/c_3_9_x.ipynb"], "a b c"),
        (["a_1_9_x.ipynb", "late/c_3_9_x.ipynb", "late/d_4_9_x.ipynb"], "a c d"),
        ([f"{n}_{i}_assignsubmission_file_/{FILE}" for i, n in enumerate("ab")] + [
            f"late/{n}_{i}_assignsubmission_file_/{FILE}" for i, n in enumerate("cd")], "a b c d"),
        # what came by mail beside it
        (["a_1_9_x.ipynb", "b_2_9_x.ipynb", "c_3_9_x.ipynb", "mail/cy.ipynb", "mail/dan.ipynb"], "a b c cy dan"),
        (["a_1_9_x.ipynb", "b_2_9_x.ipynb", "c_3_9_x.ipynb", f"mail/cy/{FILE}", f"mail/dan/{FILE}"], "a b c cy dan"),
        # words for several people's
        ([f"ann/{FILE}", f"bob/{FILE}", f"extensions/cy/{FILE}", f"extensions/dan/{FILE}", f"withdrawn/eve/{FILE}"],
         "ann bob cy dan eve"),
        # Teams
        ([f"Student Work/{w}/{n}/Lab 4/{v}{FILE}" for w, v in (("Submitted files", "Version 1/"), ("Working files", ""))
          for n in ("ann", "bob", "cy")], "ann bob cy"),
        ([f"Submitted files/Jane Smith/Lab 4/Version {v}/{FILE}" for v in (1, 2)], "Jane Smith"),
        ([f"Jane Smith/Revision {v}/{FILE}" for v in (1, 2)], "Jane Smith"),
        # copies of Google Drive in other languages, times and attempts around a name
        (["ann - Copie de lab4.ipynb", "bob - Cópia de lab4_tsm.ipynb", "cy - Copy of Copy of lab4.ipynb"],
         "ann bob cy"),
        (["ann_lab4.ipynb", "ann_lab4_v2.ipynb", "lab4_tsm-bob.ipynb", "lab4_tsm-bob-final.ipynb", "Cy New.ipynb"],
         "Cy New ann bob"),
        (["2026-11-03 ann.ipynb", "2026-11-05 ann.ipynb", "bob_lab4_20261103_101112.ipynb", "2026-11-05T1030_cy.ipynb"],
         "ann bob cy"),
        ([f"ann 2026-11-03/{FILE}", f"ann 2026-11-05/{FILE}", f"bob_20261103101112/{FILE}", f"cy v2/{FILE}"],
         "ann bob cy"),
        (["ann_submission.ipynb", "ann_submission_2.ipynb", "lab04_bob.ipynb", "Lab#4 cy.ipynb", "lab4tsm-dan.ipynb"],
         "ann bob cy dan"),
        (["Copy of ann_lab4.ipynb", "ann_lab4.ipynb", "ann_lab4 - Copy.ipynb", "ann_lab4 - Copy (2).ipynb"], "ann"),
        (["lab4_tsm (1) - cy.ipynb", "Copy of lab4_tsm.ipynb - Bob Roe.ipynb", "dan.ipynb.ipynb"], "Bob Roe cy dan"),
        # of whom nothing but a number is told
        ([f"student_v{i}.ipynb" for i in (1, 2)], "student_v1 student_v2"),
        ([f"team v{i}/{FILE}" for i in (1, 2)], "team v1 team v2"),
        (["smith_20261105.ipynb", "smith_20261106.ipynb", "20261107_lee.ipynb", "lee_202611081.ipynb"],
         "20261107_lee lee_202611081 smith_20261105 smith_20261106"),
        ([f"smith_20261105/{FILE}", f"smith_20261106/{FILE}"], "smith_20261105 smith_20261106"),
        (["final.ipynb", "v2.ipynb", "ann.ipynb"], "ann final v2"),
    ],
)  # fmt: skip
def test_nobody_is_merged_split_or_called_after_a_folder(
    names: list[str], found: str, tmp_path: Path
) -> None:
    assert " ".join(people(taken(tmp_path, dict.fromkeys(names, notebook())))) == found


@pytest.mark.parametrize("users", [["octocat", "lab-rat", "hw2024", "late"], ["octocat"]])
def test_each_checkout_is_a_students_whatever_its_name(users: list[str], tmp_path: Path) -> None:
    inside = {"labs/lab4_tsm.ipynb": notebook(mark="mine"), "labs/extra.ipynb": BLANK, ".git/config": b"x"}
    inside |= {"efficientlab/__init__.py": b"", "vendor/.git/config": b""}
    intake = taken(tmp_path, {f"lab4/lab4-{u}/{name}": data for u in users for name, data in inside.items()})
    assert people(intake) == sorted(f"lab4-{user}" for user in users)
    assert all(b"mine" in one.path.read_bytes() for one in intake.incoming)


def test_checkouts_in_students_folders_and_below_late_are_the_students(tmp_path: Path) -> None:
    inside = dict.fromkeys(("labs/lab4_tsm.ipynb", "labs/extra.ipynb", ".git/config"), notebook())
    own = {f"{n}/lab4-course/{name}": data for n in ("ann", "bob") for name, data in inside.items()}
    own |= {f"ann/mine/{name}": data for name, data in inside.items()}
    assert people(taken(tmp_path, own)) == ["ann", "bob"]
    late = {
        f"{u}/{name}": data for u in ("lab4-a1", "lab4-b2", "late/lab4-c3") for name, data in inside.items()
    }
    assert people(taken(tmp_path, late, "others")) == ["lab4-a1", "lab4-b2", "lab4-c3"]


def test_a_class_in_a_checkout_of_its_own_is_a_class(tmp_path: Path) -> None:
    names = ["submissions/.git/config", f"submissions/ann/{FILE}", f"submissions/bob/{FILE}"]
    assert people(taken(tmp_path, dict.fromkeys(names, notebook()))) == ["ann", "bob"]


def test_what_was_handed_in_counts_and_not_what_is_worked_on(tmp_path: Path) -> None:
    folder = unpacked(
        tmp_path / "in",
        {
            f"Submitted files/{n}/Lab 4/Version {v}/{FILE}": notebook(mark=f"version {v}")
            for n in ("ann", "bob")
            for v in (9, 10)
        }
        | {f"Working files/{n}/Lab 4/{FILE}": notebook(mark="working") for n in ("ann", "bob")},
    )
    for path in folder.glob("Submitted files/**/*.ipynb"):
        os.utime(path, (1, 1))
    for one in take_in(folder, tmp_path / "g", LAB).incoming:
        assert b"version 10" in one.path.read_bytes()


def test_attempts_in_nbgraders_exchange_are_of_their_user(tmp_path: Path) -> None:
    form = "inbound/{}+lab4+2026-11-0{} 10:00:00.123456 UTC+abc/lab4_tsm.ipynb"
    members = {form.format(n, d): notebook(mark=f"{n}{d}") for n, d in (("ann", 2), ("ann", 1), ("bob", 1))}
    intake = taken(tmp_path, members)
    assert people(intake) == ["ann", "bob"] and "nbgrader" in intake.rule
    assert b"ann2" in intake.incoming[0].path.read_bytes()


# zips in zips


def test_zips_of_sections_hold_zips_of_students(tmp_path: Path) -> None:
    packed_twice = zipped({"work/lab4.zip": zipped({"lab4_tsm.ipynb": notebook(mark="deep")})})
    members = {
        "s1.zip": zipped({"ann_1_11_lab4.zip": packed_twice, "bob_2_12_lab4.ipynb": notebook()}),
        "s2.zip": zipped({"cyd_3_13_lab4.ipynb": notebook(), "dan_4_14_lab4.zip": zipped({})}),
    }
    intake = taken(tmp_path, members)
    assert people(intake) == ["ann", "bob", "cyd", "dan"]
    ann = next(one for one in intake.incoming if one.student == "ann")
    assert b"deep" in ann.path.read_bytes()
    assert set(refused(intake)) == {"dan"}


@pytest.mark.slow
def test_a_zip_full_of_zips_costs_its_owner_alone(tmp_path: Path) -> None:
    many = zipped({f"{i}.ipynb": b"" for i in range(1_900)})
    evil = zipped({f"{i}.zip": many for i in range(500)})
    section = zipped({"mal_1_1_x.zip": evil, "zoe_2_2_x.zip": zipped({"lab4_tsm.ipynb": notebook()})})
    intake = taken(tmp_path, {"s1.zip": section, "s2.zip": zipped({"ann_3_3_x.ipynb": notebook()})})
    assert people(intake) == ["ann", "mal", "zoe"] and "zoe" not in refused(intake)
    assert any("1,900 files, and 2" in note for note in intake.notes)


# what lies about


def test_an_earlier_folder_of_results_is_of_nobody(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "in", {f"{name}/lab4_tsm.ipynb": notebook() for name in ("ann", "bob")})
    take_in(folder, folder / "old", LAB).save(folder / "old")
    (folder / "old" / "run.json").write_text("{}")
    intake = take_in(folder, tmp_path / "g", LAB)
    assert people(intake) == ["ann", "bob"] and intake.notes == (
        "old holds what grade wrote and was left out.",
    )
    with pytest.raises(ArchiveError, match="cannot be written to where the submissions lie"):
        take_in(folder, folder, LAB)


def test_files_called_like_results_leave_nobody_out(tmp_path: Path) -> None:
    names = {"intake.json": b"{}", "run.json": b"{}"}
    flat = unpacked(tmp_path / "flat", names | {f"{name}.ipynb": notebook() for name in ("ann", "bob")})
    assert people(take_in(flat, tmp_path / "g", LAB)) == ["ann", "bob"]
    own = {f"cy/{name}": data for name, data in names.items()}
    folders = {f"{name}/lab4_tsm.ipynb": notebook() for name in ("ann", "bob", "cy")}
    intake = take_in(unpacked(tmp_path / "own", own | folders), tmp_path / "h", LAB)
    assert people(intake) == ["ann", "bob", "cy"] and not refused(intake)


def test_what_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = unpacked(tmp_path / "in", {f"{name}/lab4_tsm.ipynb": notebook() for name in ("ann", "bob")})
    scan = os.scandir

    def forbidden(path: str) -> object:
        if Path(path).name == "bob":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr("os.scandir", forbidden)
    intake = take_in(folder, tmp_path / "g", LAB)
    assert intake.notes == ("bob cannot be opened (Permission denied) and was left out.",)


def test_a_class_of_links_is_told_why_there_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ann").symlink_to(tmp_path)
    with pytest.raises(ArchiveError, match=r"no notebook .* ann is a symbolic link"):
        take_in(tmp_path / "in", tmp_path / "g", LAB)


@pytest.mark.parametrize("name", ["e.tar.gz", "e.7z", "e.rar"])
def test_an_export_in_another_archive_is_to_be_unpacked(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8b")
    with pytest.raises(ArchiveError, match="unpack it"):
        take_in(tmp_path / name, tmp_path / "g", LAB)


def test_marks_of_direction_are_no_part_of_a_name_and_long_names_keep_their_suffix(tmp_path: Path) -> None:
    members = {
        "\u200fדנה.ipynb": notebook(),
        "דנה\u200e כהן.ipynb": notebook(),
        f"{'a' * 320}.ipynb": notebook(),
    }
    intake = taken(tmp_path, members)
    assert {"דנה", "דנה כהן"} < set(people(intake)) and len(intake.incoming) == 3


@pytest.mark.parametrize(
    ("name", "shown"),
    [("山田　太郎", "山田 太郎"), ("Jane\xa0Doe", "Jane Doe"), ("\u202bדנה\u202c", "דנה"),
     ("\u2067סמי\u2069\u200b", "סמי")],
)  # fmt: skip
def test_blanks_and_marks_of_any_kind_leave_names_readable(name: str, shown: str, tmp_path: Path) -> None:
    members = {
        f"{name}_11_assignsubmission_file/x.ipynb": notebook(),
        "Bob_12_assignsubmission_file/x.ipynb": b"",
    }
    assert people(taken(tmp_path, members)) == sorted(["Bob", shown])


@pytest.mark.parametrize("kind", ["eml", "msg", "url", "webloc", "heic", "rtf", "pages", "dbc"])
def test_who_handed_in_another_kind_of_file_is_in_the_class(kind: str, tmp_path: Path) -> None:
    members = {
        f"ann.{kind}": b"x",
        "bob.ipynb": notebook(),
        "README.md": b"# class",
        "roster.csv": b"ann,bob",
    }
    assert people(taken(tmp_path, members)) == ["ann", "bob"]


def test_a_module_beside_the_notebook_is_named(tmp_path: Path) -> None:
    members = {"ann/lab4_tsm.ipynb": notebook(), "ann/helpers.py": b"", "bob/lab4_tsm.ipynb": notebook()}
    ann, bob = taken(tmp_path, members).incoming
    assert "helpers.py, which answers cannot import" in " ".join(ann.notes) and bob.notes == ()


def test_installed_packages_hold_no_submission(tmp_path: Path) -> None:
    folder = unpacked(
        tmp_path / "in", {"ann/lab4_tsm.ipynb": notebook(mark="mine"), "bob/x.ipynb": notebook()}
    )
    unpacked(folder, {"ann/venv/lib/site-packages/x/lab4_tsm.ipynb": notebook(mark="theirs")})
    os.utime(folder / "ann/lab4_tsm.ipynb", (1, 1))
    assert b"mine" in take_in(folder, tmp_path / "g", LAB).incoming[0].path.read_bytes()


# which counts


@pytest.mark.parametrize("newest", ["lab0_cost", "lab1_gan", "lab4_tsm"])
def test_of_all_labs_in_a_folder_this_one_counts(newest: str, tmp_path: Path) -> None:
    shared = [NAMES[4], "conv_macs"]
    members = {
        "bob/labs/lab0_cost.ipynb": notebook(*shared, lab=0, mark="zero"),
        "bob/labs/lab1_gan.ipynb": notebook(*shared, "pruned", lab=1, mark="one"),
        "bob/labs/lab4_tsm.ipynb": notebook(*NAMES, mark="four"),
        "ann/lab4_tsm.ipynb": notebook(),
    }
    folder = unpacked(tmp_path / "in", members)
    for path in folder.rglob("*.ipynb"):
        os.utime(path, (2e9 if path.stem == newest else 1e9,) * 2)
    bob = next(one for one in take_in(folder, tmp_path / "g", LAB).incoming if one.student == "bob")
    assert b"four" in bob.path.read_bytes()


def test_another_labs_notebook_alone_does_not_count_for_a_shared_name(tmp_path: Path) -> None:
    members = {
        "bob/a.ipynb": notebook(NAMES[4], lab=1, mark="one"),
        "bob/b.ipynb": notebook(NAMES[0], mark="mine"),
        "ann/lab4_tsm.ipynb": notebook(),
    }
    bob = next(one for one in taken(tmp_path, members).incoming if one.student == "bob")
    assert b"mine" in bob.path.read_bytes()
    assert any("passed over, as no exercise of this lab is in it: bob/a.ipynb" in note for note in bob.notes)


@pytest.mark.parametrize(("later", "counts"), [(NAMES[:1], "whole"), (NAMES[:-1], "trial"), (None, "whole")])
def test_a_later_notebook_counts_if_it_holds_most_of_the_lab(
    later: list[str] | None, counts: str, tmp_path: Path
) -> None:
    trial = BLANK if later is None else notebook(*later, mark="trial")
    members = {
        "ann/lab4_tsm.ipynb": notebook(*NAMES, mark="whole"),
        "ann/Untitled.ipynb": trial,
        "bob/x.ipynb": trial,
    }
    folder = unpacked(tmp_path / "in", members)
    os.utime(folder / "ann/lab4_tsm.ipynb", (1e9, 1e9))
    ann = take_in(folder, tmp_path / "g", LAB).incoming[0]
    assert counts.encode() in ann.path.read_bytes()
    assert any("2 notebooks were handed in" in note for note in ann.notes)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("inner", [True, False])
def test_of_a_name_that_stands_twice_in_a_zip_the_last_counts(inner: bool, tmp_path: Path) -> None:
    twice = [("lab4_tsm.ipynb", notebook(mark="first")), ("lab4_tsm.ipynb", notebook(mark="last"))]
    if inner:
        data = zipped({"tim_1_2_work.zip": zipped(twice), "ann_3_4_x.ipynb": notebook()})
    else:
        data = zipped(
            [(f"tim_1_2_{name}", content) for name, content in twice] + [("ann_3_4_x.ipynb", notebook())]
        )
    (tmp_path / "e.zip").write_bytes(data)
    tim = next(
        one for one in take_in(tmp_path / "e.zip", tmp_path / "g", LAB).incoming if one.student == "tim"
    )
    assert b"last" in tim.path.read_bytes()
    assert tim.notes == ()


# one person, one row

YAML = """---
submission_{number}:
  :submitters:
  - :name: {name}
{more}  :created_at: 2026-11-20 10:11:12.000000000 Z
"""


def gradescope(**people_: tuple[str, str]) -> dict[str, bytes]:
    """An export of Gradescope: number=(name, further lines about the person)."""
    members = {f"x/submission_{n[1:]}/lab4.ipynb": notebook() for n in people_}
    text = "".join(YAML.format(number=n[1:], name=name, more=more) for n, (name, more) in people_.items())
    return members | {"x/submission_metadata.yml": text.encode()}


@pytest.mark.parametrize("more", ["", "    :email: john@example.edu\n", '    :sid: "12"\n'])
def test_who_hands_in_again_keeps_the_record(more: str, tmp_path: Path) -> None:
    first = taken(tmp_path, gradescope(n1=("John Smith", more), n2=("Ann Doe", "")))
    again = taken(tmp_path, gradescope(n7=("John Smith", more)))
    john = next(one.id for one in first.incoming if one.student == "John Smith")
    assert [one.id for one in again.incoming] == [john]
    assert sorted(s.name for s in again.students.values()) == ["Ann Doe", "John Smith"]


def test_names_of_the_metadata_are_printable(tmp_path: Path) -> None:
    evil = '"B\\e[31mob\\n=1+1"'
    (one,) = taken(tmp_path, gradescope(n1=(evil, '    :email: "a\\rb"\n'))).incoming
    assert one.student == "B\ufffd[31mob\ufffd=1+1"


def test_two_people_of_one_name_are_two_also_when_one_hands_in_again(tmp_path: Path) -> None:
    first = taken(tmp_path, gradescope(n1=("John Smith", ""), n5=("John Smith", "")))
    assert len({one.id for one in first.incoming}) == 2
    again = taken(tmp_path, gradescope(n5=("John Smith", ""), n7=("John Smith", "")))
    assert {one.id for one in again.incoming} == {one.id for one in first.incoming}
    five = next(i for i, s in first.students.items() if s.number == "5")
    assert again.students[five].number == "5"


def test_a_second_export_keeps_who_was_there_with_ids(tmp_path: Path) -> None:
    first = taken(tmp_path, {f"doe{i}_{i}_{i + 9}_lab4.ipynb": notebook() for i in range(3)})
    late = taken(tmp_path, {"late_LATE_7_8_lab4.ipynb": notebook()})
    assert late.students.items() >= first.students.items()
    assert {s.lms_id for s in late.students.values()} == {"0", "1", "2", "7"}
    assert Intake.load(tmp_path / "grades").students == late.students


@pytest.mark.parametrize(
    "form", ["{}_4711_assignsubmission_file_/lab4.ipynb", "{}_12_34_lab4.ipynb", "{}/lab4.ipynb", "{}.ipynb"]
)
def test_a_name_is_one_name_however_its_accents_are_written(form: str, tmp_path: Path) -> None:
    composed, apart = "José Ñandú", "José Ñandú"
    other = {form.format("Ann").replace("4711", "4712").replace("12_34", "13_35"): notebook()}
    first = taken(tmp_path, {form.format(composed): notebook(), **other})
    again = taken(tmp_path, {form.format(apart): notebook(), **other})
    assert {one.id for one in first.incoming} == {one.id for one in again.incoming}
    assert len(again.students) == 2


def test_an_address_is_one_persons_where_an_export_says_less() -> None:
    known = assign_ids([Student("Jane", "", "J@X.edu", "1"), Student("Bob", "8", "b@x.edu")], {})
    again = [Student("Jane Doe", "77", "j@x.edu", "5"), Student("Robert", "9", "b@x.edu")]
    ids = assign_ids(again, known)
    assert ids["Jane"].lms_id == "77" and "Bob_8" not in ids


def test_an_id_never_depends_on_who_else_is_there() -> None:
    known = assign_ids([Student("A-b"), Student("Bob"), Student("Zoë")], {})
    later = assign_ids([Student(n) for n in ("A b", "A-b", "bob", "Bob", "Zoë")], known)
    for identity, student in known.items():
        assert later[identity] == student
    zoe = next(i for i, s in known.items() if s.name == "Zoë")
    taken_first = assign_ids([Student(zoe), Student("Zoë")], {})  # who calls himself as another's id
    assert len({i.casefold() for i in taken_first}) == 2


# one student never decides for the class


@pytest.mark.parametrize(
    "name", ["x_1_1_{}.ipynb", "x_1_assignsubmission_file_{}.ipynb", "submission_{}/a.ipynb"]
)
@pytest.mark.parametrize(
    "form", ["class/{}/lab4_tsm.ipynb", "{}_{}_assignsubmission_file_/lab4.ipynb", "{}/lab4_tsm.ipynb"]
)
def test_a_rule_is_chosen_by_submissions_and_not_by_files(name: str, form: str, tmp_path: Path) -> None:
    members = {form.format(n, i): notebook() for i, n in enumerate(("ann", "bob", "cyd"))}
    evil = str(Path(form.format("mal", 9)).parent)
    members |= {f"{evil}/{name.format(i)}": notebook() for i in range(60)}
    assert people(taken(tmp_path, members)) == ["ann", "bob", "cyd", "mal"]


def test_a_rule_takes_no_notice_of_what_a_zip_in_a_flat_export_holds(tmp_path: Path) -> None:
    members = {f"{n}.ipynb": notebook() for n in ("ann", "bob", "cyd")}
    members["mal.zip"] = zipped({f"x_1_1_{i}.ipynb": notebook() for i in range(60)})
    assert people(taken(tmp_path, members)) == ["ann", "bob", "cyd", "mal"]


def test_names_that_are_no_unicode_and_terminal_escapes_cost_nobody(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "in", {"ann.ipynb": notebook()})
    (Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.ipynb"))).write_bytes(notebook())
    (folder / "\x1b[31mred\x1b[0m.ipynb").write_bytes(notebook())
    intake = take_in(folder, tmp_path / "g", LAB)
    intake.save(tmp_path / "g")
    assert len(intake.incoming) == 3
    assert all(one.student.isprintable() for one in intake.incoming)


@pytest.mark.parametrize("name", ["\u202e", "\ufeff", ".\u200b", ".\u202e."])
@pytest.mark.parametrize("form", ["{}", "mal/{}", "{}/lab4.ipynb"])
def test_names_of_invisible_marks_alone_cost_nobody(name: str, form: str, tmp_path: Path) -> None:
    members = {**{f"{n}/lab4_tsm.ipynb": notebook() for n in ("ann", "bob")}, form.format(name): notebook()}
    assert {"ann", "bob"} <= set(people(taken(tmp_path, members)))
    intake = take_in(unpacked(tmp_path / "in", members), tmp_path / "g", LAB)
    assert {"ann", "bob"} <= set(people(intake))


def test_thousands_of_files_in_one_zip_cost_their_owner_alone(tmp_path: Path) -> None:
    members = {f"ann_1_{i}_x.ipynb": notebook() for i in range(3)}
    members["mal_2_9_x.zip"] = zipped({f"{i}.txt": b"" for i in range(3_000)})
    intake = taken(tmp_path, members)
    assert people(intake) == ["ann", "mal"]
    assert "mal_2_9_x.zip was left out: it holds 3,000 files" in " ".join(intake.notes)


def test_a_zip_of_many_notebooks_is_read_in_seconds(tmp_path: Path) -> None:
    members = {
        "ann_1_2_x.ipynb": notebook(),
        "mal_3_4_x.zip": zipped({f"{i}.ipynb": BLANK for i in range(1_900)}),
    }
    mal = next(one for one in taken(tmp_path, members).incoming if one.student == "mal")
    assert any("only the latest 60 of 1900 notebooks" in note for note in mal.notes)


# Gradescope's metadata


def test_large_metadata_is_read_for_its_people(tmp_path: Path) -> None:
    members = gradescope(n1=("Ann Doe", '    :sid: "5"\n'), n2=("Bob Roe", '    :sid: "6"\n'))
    results = "  :results:\n    :tests:\n" + "    - :output: '" + "x: [1, {2}] " * 40 + "'\n"
    text = members["x/submission_metadata.yml"].decode()
    head, tail = text.split("submission_2:")
    members["x/submission_metadata.yml"] = (head + results * 30_000 + "submission_2:" + tail).encode()
    assert len(members["x/submission_metadata.yml"]) > 15_000_000
    intake = taken(tmp_path, members)
    assert {(s.name, s.lms_id) for s in intake.students.values()} == {("Ann Doe", "5"), ("Bob Roe", "6")}


@pytest.mark.parametrize(
    "evil",
    [
        "a: !!bool x",
        "a: !!timestamp x",
        "a: !!int ''",
        "submission_1:\n  :submitters:\n  - :name: !!python/object/apply:os.system ['id']",
        "".join(
            f"a{i}: &a{i} {{<<: [{', '.join(f'*a{i - 1}' for _ in range(9)) if i else ''}]}}\n"
            for i in range(30)
        ),
    ],
)
@pytest.mark.parametrize("place", ["mal/submission_metadata.yml", "mal/submission_1/submission_metadata.yml"])
def test_metadata_of_a_students_own_is_a_file_like_any_other(evil: str, place: str, tmp_path: Path) -> None:
    members = {f"{n}/lab4_tsm.ipynb": notebook() for n in ("ann", "bob", "mal")}
    assert people(taken(tmp_path, members | {place: evil.encode()})) == ["ann", "bob", "mal"]


def test_one_entry_of_the_metadata_that_cannot_be_read_costs_its_names_alone(tmp_path: Path) -> None:
    members = gradescope(n1=("Ann Doe", ""), n2=("!!bool x", ""), n3=("Bob Roe", ""))
    intake = taken(tmp_path, members)
    assert people(intake) == ["Ann Doe", "Bob Roe", "submission 2"]
    assert any("submission_2" in note for note in intake.notes)


def test_an_intake_that_was_damaged_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "grades").mkdir()
    (tmp_path / "grades" / "intake.json").write_text("[3]")
    with pytest.raises(ArchiveError, match="not what grade wrote"):
        taken(tmp_path, {"a.ipynb": notebook()})


def test_two_exports_of_gradescope_have_their_own_metadata(tmp_path: Path) -> None:
    first, second = gradescope(n1=("Ann", ""), n2=("Bob", "")), gradescope(n3=("Cyd", ""), n4=("Dan", ""))
    members = {f"s1/{k}": v for k, v in first.items()}
    members |= {f"s2/{k}": b"\xef\xbb\xbf" + v.replace(b"---\n", b"", 1) for k, v in second.items()}
    for name in [name for name in members if name.endswith(".ipynb")]:
        members[name] = notebook()
    assert people(taken(tmp_path, members)) == ["Ann", "Bob", "Cyd", "Dan"]
