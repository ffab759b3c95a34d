import json

import pytest

from efficientlab.datasets.video.folders import jester, kinetics, something_something


@pytest.fixture
def jester_root(tmp_path):
    for video in ("34870", "56557", "9"):
        (tmp_path / "20bn-jester-v1" / video).mkdir(parents=True)
    (tmp_path / "jester-v1-labels.csv").write_text("Swiping Left\nSwiping Right\nDoing other things\n")
    (tmp_path / "jester-v1-train.csv").write_text("34870;Swiping Right\n56557;Doing other things\n")
    (tmp_path / "jester-v1-validation.csv").write_text("9;Swiping Left\n")
    return tmp_path


LABELS = {"Moving something up": "1", "Approaching something with your camera": "0"}
ENTRIES = {
    "train": [
        {
            "id": "78687",
            "label": "moving a cup up",
            "template": "Moving [something] up",
            "placeholders": ["a cup"],
        },
        {
            "id": "3",
            "label": "…",
            "template": "Approaching [something] with your camera",
            "placeholders": ["…"],
        },
    ],
    "validation": [{"id": "42", "label": "moving a pen up", "template": "Moving [something] up"}],
}


@pytest.fixture(params=["labels/{}.json", "something-something-v2-{}.json"])
def something_root(tmp_path, request):
    """Both releases: annotations in labels/, and beside the videos."""
    (tmp_path / "20bn-something-something-v2").mkdir()
    (tmp_path / "labels").mkdir()
    for name, content in {"labels": LABELS, **ENTRIES}.items():
        (tmp_path / request.param.format(name)).write_text(json.dumps(content))
    return tmp_path


@pytest.fixture
def kinetics_root(tmp_path):
    for name in ("bowling/b_000007_000017", "bowling/a_000000_000010", "abseiling/c_000001_000011"):
        path = tmp_path / "train" / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_jester(jester_root):
    videos = jester(jester_root, "train")
    assert videos.classes == ("Swiping Left", "Swiping Right", "Doing other things")
    assert [path.name for path in videos.paths] == ["34870", "56557"]
    assert all(path.is_dir() for path in videos.paths)
    assert videos.labels == (1, 2)
    assert jester(str(jester_root), "val").labels == (0,)


def test_jester_label_that_is_not_in_the_list(jester_root):
    (jester_root / "jester-v1-train.csv").write_text("34870;Swiping Rigth\n")
    with pytest.raises(
        ValueError,
        match=r"train\.csv: video 34870 has the label 'Swiping Rigth', which is not among the 3 classes; "
        r"did you mean 'Swiping Right'\?",
    ):
        jester(jester_root, "train")


def test_jester_line_without_a_label(jester_root):
    (jester_root / "jester-v1-train.csv").write_text("34870;Swiping Left\n56557,Swiping Left\n")
    with pytest.raises(
        ValueError, match=r"train\.csv, line 2: expected 'id;label', got '56557,Swiping Left'"
    ):
        jester(jester_root, "train")


@pytest.mark.parametrize("name", ["jester-v1-labels.csv", "jester-v1-train.csv"])
def test_jester_missing_annotation(jester_root, name):
    (jester_root / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"the annotation .*{name} is missing; download it"):
        jester(jester_root, "train")


def test_something_something(something_root):
    videos = something_something(something_root, "train")
    assert videos.classes == ("Approaching something with your camera", "Moving something up")
    folder = something_root / "20bn-something-something-v2"
    assert videos.paths == (folder / "78687.webm", folder / "3.webm")
    assert videos.labels == (1, 0)
    assert something_something(something_root, "val").paths == (folder / "42.webm",)


def annotation(root, name):
    return next(path for path in root.rglob(f"*{name}.json"))


def test_something_something_template_that_is_not_in_the_list(something_root):
    annotation(something_root, "train").write_text(
        json.dumps([{"id": "5", "template": "Eating [something]"}])
    )
    with pytest.raises(
        ValueError, match=r"video 5 has the label 'Eating something', which is not among the 2 classes"
    ):
        something_something(something_root, "train")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "is not JSON"),
        ("{}", "expected a JSON list, got dict"),
        ('[{"id": "5"}]', r"every entry needs 'id' and 'template' \(KeyError\('template'\)\)"),
        ("[7]", "every entry needs 'id' and 'template'"),
    ],
)
def test_something_something_annotation_of_another_form(something_root, text, message):
    annotation(something_root, "train").write_text(text)
    with pytest.raises(ValueError, match=rf"train\.json.*{message}"):
        something_something(something_root, "train")


def test_something_something_missing_annotation(something_root):
    annotation(something_root, "validation").unlink()
    with pytest.raises(FileNotFoundError, match=r"the annotation .*validation\.json is missing"):
        something_something(something_root, "val")


def test_kinetics_class_folders(kinetics_root):
    videos = kinetics(kinetics_root, "train")
    assert videos.classes == ("abseiling", "bowling")
    assert [path.stem[0] for path in videos.paths] == ["c", "a", "b"]
    assert videos.labels == (0, 1, 1)


def test_kinetics_class_folders_ignore_other_files(kinetics_root):
    (kinetics_root / "train" / "bowling" / "notes.txt").touch()
    assert len(kinetics(kinetics_root, "train").paths) == 3


CSV = "label,youtube_id,time_start,time_end,split\n"


def test_kinetics_csv_in_class_folders_or_flat(kinetics_root):
    (kinetics_root / "train" / "d_000100_000110.mp4").touch()
    (kinetics_root / "train.csv").write_text(CSV + "bowling,b,7,17,train\nzumba,d,100,110,train\n")
    videos = kinetics(kinetics_root, "train")
    assert videos.classes == ("bowling", "zumba")
    assert videos.paths == (
        kinetics_root / "train" / "bowling" / "b_000007_000017.mp4",
        kinetics_root / "train" / "d_000100_000110.mp4",
    )
    assert videos.labels == (0, 1)


def test_kinetics_says_how_many_are_missing_and_keeps_their_classes(kinetics_root):
    (kinetics_root / "train.csv").write_text(CSV + "bowling,b,7,17,train\narchery,gone,0,10,train\n")
    with pytest.warns(UserWarning, match=r"1 of the 2 videos in .*train\.csv are missing"):
        videos = kinetics(kinetics_root, "train")
    assert videos.classes == ("archery", "bowling")
    assert videos.labels == (1,)


@pytest.mark.parametrize("line", ["bowling,b,soon,17,train", "bowling,b", "bowling,b,7,,train"])
def test_kinetics_csv_line_of_another_form(kinetics_root, line):
    (kinetics_root / "train.csv").write_text(CSV + "bowling,b,7,17,train\n" + line + "\n")
    with pytest.raises(
        ValueError, match=r"train\.csv, line 3: expected label, youtube_id, time_start, time_end"
    ):
        kinetics(kinetics_root, "train")


def test_kinetics_csv_without_the_columns(kinetics_root):
    (kinetics_root / "train.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"train\.csv, line 2: expected label, youtube_id"):
        kinetics(kinetics_root, "train")


@pytest.mark.parametrize("name", ["val", "validation"])
def test_kinetics_validation_may_have_either_name(kinetics_root, name):
    (kinetics_root / "train").rename(kinetics_root / name)
    assert len(kinetics(kinetics_root, "val").paths) == 3


def test_kinetics_classes_are_the_same_in_both_splits(kinetics_root):
    """A split that lacks a class must not shift the numbers of the classes after it."""
    (kinetics_root / "val" / "bowling").mkdir(parents=True)
    (kinetics_root / "val" / "bowling" / "e.mp4").touch()
    train, val = kinetics(kinetics_root, "train"), kinetics(kinetics_root, "val")
    assert val.classes == train.classes == ("abseiling", "bowling")
    assert val.labels == (1,)


def test_kinetics_without_any_video(kinetics_root):
    (kinetics_root / "val" / "bowling").mkdir(parents=True)
    with pytest.raises(
        FileNotFoundError, match=r"no video of the 'val' split is in .*expected <class>/<video>\.mp4"
    ):
        kinetics(kinetics_root, "val")


@pytest.mark.parametrize("read", [jester, something_something, kinetics])
def test_missing_folder(tmp_path, read):
    with pytest.raises(FileNotFoundError, match=r"the folder .*nowhere is missing; download the data set"):
        read(tmp_path / "nowhere", "train")
    with pytest.raises(FileNotFoundError, match=r"the folder .* is missing; download the data set"):
        read(tmp_path, "train")


@pytest.mark.parametrize("read", [jester, something_something, kinetics])
def test_unknown_split(tmp_path, read):
    with pytest.raises(ValueError, match="split must be one of train, val; got 'test'"):
        read(tmp_path, "test")


def test_kinetics_leaves_out_what_a_system_left_there(kinetics_root):
    before = kinetics(kinetics_root, "train")
    for name in (".ipynb_checkpoints/2-checkpoint.mp4", "__MACOSX/a.mp4", "bowling/._b_000007_000017.mp4"):
        path = kinetics_root / "train" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\x00\x05\x16\x07")
    assert kinetics(kinetics_root, "train") == before


def test_kinetics_classes_have_one_spelling(tmp_path):
    """A CSV with blanks for one split, folders with underscores for the other; an accent in two forms."""
    composed, split = "caf\u00e9 dance", "cafe\u0301_dance"
    for name in (
        "train/riding_a_bike/x_000000_000010",
        f"val/{split}/z_000000_000010",
        "val/riding a bike/y",
    ):
        path = tmp_path / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "train.csv").write_bytes(
        b"\xef\xbb\xbf"
        + f"label,youtube_id,time_start,time_end\nriding a bike,x,0,10\n{composed},w,0,10\n".encode()
    )
    with pytest.warns(UserWarning, match="1 of the 2 videos"):
        train = kinetics(tmp_path, "train")
    val = kinetics(tmp_path, "val")
    assert train.classes == val.classes == (composed, "riding a bike")
    assert (train.labels, val.labels) == ((1,), (0, 1))
    assert train.paths[0].parent.name == "riding_a_bike"


def test_annotations_of_another_form_are_named(jester_root, something_root, kinetics_root):
    train = jester_root / "jester-v1-train.csv"
    train.write_bytes(b"\xef\xbb\xbf34870;Swiping Right\r\n")
    assert [path.name for path in jester(jester_root, "train").paths] == ["34870"]
    train.write_text("")
    with pytest.raises(ValueError, match=r"jester-v1-train\.csv lists no video"):
        jester(jester_root, "train")
    train.write_bytes("34870;Möbel\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"jester-v1-train\.csv is not UTF-8"):
        jester(jester_root, "train")
    (kinetics_root / "train.csv").write_bytes("label\n".encode("utf-16"))
    with pytest.raises(ValueError, match=r"train\.csv is not UTF-8"):
        kinetics(kinetics_root, "train")
    for path in (
        something_root / "labels" / "train.json",
        something_root / "something-something-v2-train.json",
    ):
        for content, reason in {
            '[{"id": 1, "template": null}]': "'id' and 'template'", "[": "is not JSON", "[3]": "'id' and 'template'",
            "[]": "is empty", '"x"': "expected a JSON list",
        }.items():  # fmt: skip
            if path.exists():
                path.write_text(content)
                with pytest.raises(ValueError, match=rf"train\.json.*{reason}"):
                    something_something(something_root, "train")
    for path in (
        something_root / "labels" / "labels.json",
        something_root / "something-something-v2-labels.json",
    ):
        if path.exists():
            path.write_text('{"Moving something up": null}')
            with pytest.raises(ValueError, match=r"labels\.json: every template needs a class number"):
                something_something(something_root, "val")


def test_ids_are_names_and_classes_are_told_apart(jester_root):
    listing = jester_root / "jester-v1-train.csv"
    for name in ("/etc/passwd", "../secret", ""):
        listing.write_text(f"{name};Swiping Left\n")
        with pytest.raises(ValueError, match=r"train\.csv, line 1: expected 'id;label'"):
            jester(jester_root, "train")
    listing.write_text("34870;Swiping Right\n\n56557;Doing other things\n\n")
    assert len(jester(jester_root, "train").paths) == 2
    (jester_root / "jester-v1-labels.csv").write_text("Swiping Left\nSwiping Left\n")
    with pytest.raises(ValueError, match=r"labels\.csv lists 'Swiping Left' twice"):
        jester(jester_root, "train")


@pytest.mark.parametrize("name", [None, "", 1.5, "../1"])
def test_something_s_ids_are_names(something_root, name):
    for file in something_root.rglob("*train.json"):
        file.write_text(json.dumps([{"id": name, "template": "Moving [something] up"}]))
    with pytest.raises(ValueError, match=r"train\.json: every entry needs 'id' and 'template'"):
        something_something(something_root, "train")


@pytest.mark.parametrize("numbers", [("0", "0"), ("1", "7"), (0.5, 1), ("0", None)])
def test_something_s_classes_have_numbers_of_their_own(something_root, numbers):
    for file in something_root.rglob("*labels.json"):
        file.write_text(json.dumps(dict(zip(LABELS, numbers, strict=True))))
    with pytest.raises(ValueError, match=r"labels\.json: every template needs a class number"):
        something_something(something_root, "train")


def test_kinetics_lists_that_cannot_be(kinetics_root):
    for row in (",b,7,17,train", "bowling,,7,17,train", "bowling,b,-7,17,train", "bowling,../b,7,17,train"):
        (kinetics_root / "train.csv").write_text(f"{CSV}{row}\n")
        with pytest.raises(ValueError, match=r"train\.csv, line 2: expected label"):
            kinetics(kinetics_root, "train")
    (kinetics_root / "train.csv").write_text("x" * 200_000 + "\n1\n")
    with pytest.raises(ValueError, match=r"train\.csv is not a CSV file"):
        kinetics(kinetics_root, "train")


def test_one_class_may_have_folders_of_two_spellings(kinetics_root):
    for name in ("high kick/h_000001_000011", "high_kick/i_000001_000011"):
        path = kinetics_root / "train" / f"{name}.mp4"
        path.parent.mkdir()
        path.touch()
    (kinetics_root / "train.csv").write_text(CSV + "high kick,h,1,11,train\nhigh kick,i,1,11,train\n")
    assert [path.stem[0] for path in kinetics(kinetics_root, "train").paths] == ["h", "i"]


@pytest.mark.parametrize("ending", [".MP4", ".webm", ".mkv"])
@pytest.mark.parametrize("place", ["bowling", "."])
def test_a_listed_video_may_have_any_ending(kinetics_root, ending, place):
    path = kinetics_root / "train" / place / f"n_000001_000011{ending}"
    path.touch()
    (kinetics_root / "train.csv").write_text(CSV + "bowling,n,1,11,train\n")
    assert kinetics(kinetics_root, "train").paths == (path,)
    path.with_suffix(".mp4").touch()
    assert kinetics(kinetics_root, "train").paths[0].suffix.lower() == ".mp4"


@pytest.mark.parametrize("folder", ["val", "validation"])
@pytest.mark.parametrize("listing", ["val", "validation"])
def test_the_list_of_validation_may_have_either_name(kinetics_root, folder, listing):
    (kinetics_root / folder).mkdir()
    (kinetics_root / folder / "n_000001_000011.mp4").touch()
    (kinetics_root / f"{listing}.csv").write_text(CSV + "bowling,n,1,11,val\nbowling,o,1,11,val\n")
    with pytest.warns(UserWarning, match=rf"1 of the 2 videos in .*{listing}\.csv are missing"):
        videos = kinetics(kinetics_root, "val")
    assert (len(videos.paths), videos.labels) == (1, (1,))


def test_capital_letters_make_no_other_class(kinetics_root):
    (kinetics_root / "val" / "Bowling").mkdir(parents=True)
    (kinetics_root / "val" / "Bowling" / "n_000001_000011.mp4").touch()
    for rows in (None, "bowling,n,1,11,val\n"):
        if rows:
            (kinetics_root / "val.csv").write_text(CSV + rows)
        train, val = kinetics(kinetics_root, "train"), kinetics(kinetics_root, "val")
        assert train.classes == val.classes == ("abseiling", "bowling")
        assert (train.labels, val.labels) == ((0, 1, 1), (1,))


def test_a_line_ends_where_the_file_ends_it(jester_root):
    (jester_root / "jester-v1-labels.csv").write_text("a\u2028b\rc\x0cd\r\n", encoding="utf-8", newline="")
    (jester_root / "jester-v1-train.csv").write_text("9;c\x0cd\r", encoding="utf-8", newline="")
    videos = jester(jester_root, "train")
    assert (videos.classes, videos.labels) == (("a\u2028b", "c\x0cd"), (1,))


def test_a_number_of_thousands_of_digits_is_no_json(something_root):
    for file in something_root.rglob("*train.json"):
        file.write_text(f"[{'9' * 5000}]")
    with pytest.raises(ValueError, match=r"train\.json(:| is not JSON)"):
        something_something(something_root, "train")
