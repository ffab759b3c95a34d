"""The published folder formats of Jester, Something-Something V2 and Kinetics, each read into a `VideoList`.

None of these sets may be redistributed, so none ships: a course downloads them from their publishers. Splits
are called "train" and "val" here; the test splits are not read.
"""

import csv
import difflib
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from efficientlab.datasets.reading import distinct, is_name, json_of, lines, text, visible
from efficientlab.datasets.splits import check_split
from efficientlab.datasets.video.clips import VideoList

_PUBLISHED = {"train": "train", "val": "validation"}
_MISSING = "the annotation {} is missing; download it with the data set."
_VIDEO_SUFFIXES = (".mp4", ".webm", ".mkv", ".avi")


def jester(root: Path | str, split: str) -> VideoList:
    """20BN-Jester V1 (Materzynska et al., ICCVW 2019): folders of numbered JPEGs, lists of ``id;label``.

    Reads ``20bn-jester-v1/<id>/00001.jpg …``, ``jester-v1-labels.csv`` (one class a line, in order) and
    ``jester-v1-train.csv`` or ``jester-v1-validation.csv``.

    Raises:
        FileNotFoundError: a folder or an annotation file is missing.
        ValueError: an unknown split, a line that is not ``id;label``, or a label that is not in the list.
    """
    base, published = _base(root), _published(split)
    videos = _folder(base / "20bn-jester-v1")
    names = base / "jester-v1-labels.csv"
    classes = distinct(lines(names, _MISSING), names)
    file = base / f"jester-v1-{published}.csv"
    rows = []
    for number, line in enumerate(text(file, _MISSING).split("\n"), 1):
        name, separator, label = line.partition(";")
        if not line.strip():
            continue
        if not separator or not is_name(name.strip()):
            raise ValueError(f"{file}, line {number}: expected 'id;label', got {line!r}.")
        rows.append((videos / name.strip(), label.strip()))
    return _listed(classes, rows, file)


def something_something(root: Path | str, split: str) -> VideoList:
    """Something-Something V2 (Goyal et al., ICCV 2017): webm files and JSON annotations.

    Reads ``20bn-something-something-v2/<id>.webm`` and, in ``labels/``, ``labels.json`` (template -> class
    number) and ``train.json`` or ``validation.json`` (a list of objects with ``id`` and ``template``). The
    older release has the JSON files beside the folder, as ``something-something-v2-<name>.json``.

    Raises:
        FileNotFoundError: a folder or an annotation file is missing.
        ValueError: an unknown split, JSON of another form, or a template that is not in the list.
    """
    base, published = _base(root), _published(split)
    videos = _folder(base / "20bn-something-something-v2")
    old = base / "something-something-v2-labels.json"

    def annotation(name: str) -> Path:
        return (
            base / f"something-something-v2-{name}.json" if old.exists() else base / "labels" / f"{name}.json"
        )

    numbers = json_of(annotation("labels"), dict, _MISSING)
    try:
        classes = tuple(sorted(numbers, key=lambda template: int(numbers[template])))
        if sorted(map(str, numbers.values()), key=int) != [str(i) for i in range(len(classes))]:
            raise ValueError(f"they must be 0 to {len(classes) - 1}")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{annotation('labels')}: every template needs a class number ({error}).") from error
    file = annotation(published)
    entries = json_of(file, list, _MISSING)
    try:
        rows = [
            (videos / f"{_id(entry['id'])}.webm", entry["template"].replace("[", "").replace("]", ""))
            for entry in entries
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file}: every entry needs 'id' and 'template' ({error!r}).") from error
    return _listed(classes, rows, file)


def _id(name: object) -> str:
    if not isinstance(name, str | int) or not is_name(str(name)):
        raise ValueError(f"{name!r} is no id")
    return str(name)


def kinetics(root: Path | str, split: str) -> VideoList:
    """Kinetics and its mini versions (Kay et al., 2017): ``<split>/<class>/<video>``, with or without a CSV.

    With ``<split>.csv`` (columns label, youtube_id, time_start, time_end) the listed videos are taken, each
    as ``<youtube_id>_<start>_<end>.mp4`` (or webm, mkv, avi) with six digits for a time, from its class's folder or
    from ``<split>/``. Many have left YouTube: what is missing is left out, with a warning that says how many. A blank
    and an underscore, a small and a capital letter in a class's name are the same.
    Without a CSV the class folders are the annotation. Classes are those of both splits, in alphabetical
    order. "val" may be "validation" on disk.

    Raises:
        FileNotFoundError: the split's folder is missing, or no video is in it.
        ValueError: an unknown split, or a CSV without the columns.
    """
    check_split(split, _PUBLISHED)
    base = _base(root)
    folders = {name: _kinetics_folder(base, name) for name in _PUBLISHED}
    folder = _folder(folders[split])
    rows = {name: _kinetics_rows(base, name, place) for name, place in folders.items()}
    labels = {label for listed in rows.values() for _, label in listed}
    spelled = {label.casefold(): label for label in sorted(labels)}  # small letters, if anyone has them
    classes = sorted(spelled.values())  # the same for both splits
    found = [(path, spelled[label.casefold()]) for path, label in rows[split] if path.is_file()]
    if not found:
        raise FileNotFoundError(
            f"no video of the {split!r} split is in {folder}; expected <class>/<video>.mp4."
        )
    if missing := len(rows[split]) - len(found):
        warnings.warn(
            f"{missing} of the {len(rows[split])} videos in {_kinetics_list(base, split)} are missing.",
            stacklevel=2,
        )
    return _listed(classes, found, folder)


def _kinetics_folder(base: Path, split: str) -> Path:
    published = base / _PUBLISHED[split]
    return published if published.is_dir() else base / split


def _kinetics_list(base: Path, split: str) -> Path | None:
    files = (base / f"{name}.csv" for name in (_PUBLISHED[split], split))
    return next((file for file in files if file.is_file()), None)


def _kinetics_rows(base: Path, split: str, folder: Path) -> list[tuple[Path, str]]:
    file = _kinetics_list(base, split)
    return list(_class_folders(folder) if file is None else _kinetics_csv(file, folder))


def _kinetics_csv(file: Path, folder: Path) -> Iterator[tuple[Path, str]]:
    rows = csv.DictReader(text(file).split("\n"))
    flat: dict[str, Path] = {}
    in_class: dict[str, dict[str, Path]] = {}
    if folder.is_dir():
        flat = _by_name(folder)
        for path in visible(folder):
            if path.is_dir():  # one class may have folders of two spellings
                in_class.setdefault(_plain(path.name).casefold(), {}).update(_by_name(path))
    for row in _rows_of(rows, file):
        try:
            start, end = int(row["time_start"]), int(row["time_end"])
            name, label = f"{row['youtube_id']}_{start:06d}_{end:06d}", _plain(row["label"])
            if not label or not is_name(row["youtube_id"]) or start < 0:
                raise ValueError(f"got {list(row.values())}")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{file}, line {rows.line_num}: expected label, youtube_id, time_start, time_end ({error})."
            ) from error
        there = in_class.get(label.casefold(), {}).get(name) or flat.get(name)
        yield there or folder / f"{name}.mp4", label


def _by_name(folder: Path) -> dict[str, Path]:
    """The videos of a folder by their names without endings; of several with one name an MP4 comes first."""
    paths = visible(folder, _VIDEO_SUFFIXES)
    paths.sort(key=lambda path: _VIDEO_SUFFIXES.index(path.suffix.lower()), reverse=True)
    return {path.stem: path for path in paths}


def _rows_of(rows: Iterable[dict[str, str]], file: Path) -> Iterator[dict[str, str]]:
    try:
        yield from rows
    except csv.Error as error:
        raise ValueError(f"{file} is not a CSV file ({error}); download it again.") from error


def _class_folders(folder: Path) -> Iterator[tuple[Path, str]]:
    for kind in visible(folder) if folder.is_dir() else []:
        for path in visible(kind, _VIDEO_SUFFIXES) if kind.is_dir() else []:
            yield path, _plain(kind.name)


def _plain(label: str) -> str:
    """One spelling of a class: the CSV files have blanks, many folders underscores, and macOS splits its accents."""
    return " ".join(unicodedata.normalize("NFC", label).replace("_", " ").split())


def _listed(classes: Sequence[str], rows: Sequence[tuple[Path, str]], file: Path) -> VideoList:
    if not rows:
        raise ValueError(f"{file} lists no video; download it again.")
    index = {name: i for i, name in enumerate(classes)}
    paths, labels = [], []
    for path, label in rows:
        if label not in index:
            near = difflib.get_close_matches(label, classes, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise ValueError(
                f"{file}: video {path.stem} has the label {label!r}, "
                f"which is not among the {len(classes)} classes{hint}"
            )
        paths.append(path)
        labels.append(index[label])
    return VideoList(tuple(classes), tuple(paths), tuple(labels))


def _published(split: str) -> str:
    return _PUBLISHED[check_split(split, _PUBLISHED)]


def _base(root: Path | str) -> Path:
    return _folder(Path(root).expanduser())


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise FileNotFoundError(f"the folder {path} is missing; download the data set and unpack it there.")
    return path
