"""The files of a folder or a zip archive, as an LMS exports them, read with limits and never written by their names.

Nothing here trusts a name or a size: a member is read up to a limit whatever its header says, links and encrypted
members are refused, and the caller chooses where the bytes go. So `../x`, bombs and symbolic links do no harm. What
programs leave behind is named as such, and not dropped: it may be all that somebody handed in.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from efficientlab.grading.reading.notebook import MAX_FILE

MAX_FILES = 500_000
MAX_INNER = 2_000  # files of a zip that a student handed in
MAX_DEPTH = 3  # zips in zips: a section's, a student's, and what that one packed twice
MAX_NESTED = 1_000_000_000  # bytes of all zips inside of one
BYTES_A_MEMBER = 10_000  # that a file in such a zip is taken to cost, beside what is in it
MAX_TOTAL = 20_000_000_000  # bytes of all files together
MAX_RATIO = 300  # of unpacked to packed size, for members that are not small
MAX_DIRECTORY = 32_000_000  # bytes of a zip's table of contents
MAX_INNER_DIRECTORY = 2_000_000  # of one that a student handed in
MAX_PARTS = 20  # of a path, without the file's name: it stands in notes
_NO_NAMES = ("", ".", "..")
_SMALL = 1_000_000
_JOINERS = "\u200c\u200d"  # they stand in names of people, unlike other characters without a shape
_PACKED = {".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz"}
_OF_PROGRAMS = {"__pycache__", "node_modules", "site-packages"}
_MARKS: dict[int, str | None] = {
    # of direction, order and line breaks: systems and web pages put them around names
    **dict.fromkeys(map(ord, "\u200e\u200f\u061c\u200b\u2060\u00ad\ufeff"), None),
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], None),
    # blanks of other widths: what stands between a Japanese family name and the other
    **dict.fromkeys([0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " "),
}


class ArchiveError(Exception):
    """The whole export cannot be read; the message names it and what to do."""


@dataclass(frozen=True)
class Found:
    """One file of the export. `read` gives its bytes, or raises `ArchiveError` with the reason in one sentence.

    `leftover` says why no submission can be in it: what a system or an editor left behind, an empty zip.
    """

    path: PurePosixPath  # inside the export
    modified: float  # seconds since 1970, as far as the export says
    read: Callable[[], bytes]
    leftover: str = ""
    size: int = 0  # bytes, as a zip says


@contextmanager
def open_export(source: Path, without: Path | None = None) -> Iterator[tuple[list[Found], list[str]]]:
    """The files of the folder, zip or single notebook at `source`, and a sentence for each that was left out.

    What lies in the folder `without` is passed over: reports may be kept beside what they report on.
    """
    notes: list[str] = []
    if source.is_dir():
        yield list(_with_inner(_folder_files(source, without, notes), notes)), notes
    elif not source.is_file():
        raise ArchiveError(f"{source}: there is no such file or folder.")
    elif zipfile.is_zipfile(source):
        with source.open("rb") as file, _opened(file, str(source)) as archive:
            yield list(_with_inner(_members(archive, PurePosixPath(), notes), notes)), notes
    elif source.suffix.lower() == ".zip":
        raise ArchiveError(f"{source}: this is not a zip archive, or it is damaged; download it again.")
    elif source.suffix.lower() in _PACKED:
        raise ArchiveError(f"{source}: unpack it, and give the folder; of archives, zip is opened.")
    else:
        yield [_on_disk(source, _printable_path([source.name]))], notes


def printable(text: str, also: str = "") -> str:
    """Text for a terminal, a page or a file name: composed as most systems compose it, without control characters.

    Those in `also` are kept.
    """
    text = unicodedata.normalize("NFC", text.encode("utf-8", "backslashreplace").decode("utf-8"))
    text = text.translate(_MARKS)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _JOINERS or c in also else "\ufffd" for c in text)


def _printable_path(parts: Iterable[str]) -> PurePosixPath:
    """A path of these names, made printable; one that is nothing but invisible marks is called unnamed."""
    return PurePosixPath(*("unnamed" if name in _NO_NAMES else name for name in map(printable, parts)))


def _folder_files(folder: Path, without: Path | None, notes: list[str]) -> Iterator[Found]:
    passed_over = without.resolve() if without else None

    def unread(error: OSError) -> None:
        inside = _printable_path(Path(error.filename).relative_to(folder).parts)
        notes.append(f"{inside} cannot be opened ({error.strerror}) and was left out.")

    for parent, folders, names in os.walk(folder, onerror=unread):
        folders[:] = sorted(f for f in folders if Path(parent, f).resolve() != passed_over)
        for name in sorted([*names, *(f for f in folders if Path(parent, f).is_symlink())]):
            path = Path(parent, name)
            inside = _printable_path(path.relative_to(folder).parts)
            try:
                if path.is_symlink():
                    notes.append(f"{inside} is a symbolic link and was left out.")
                elif path.is_file():
                    yield _on_disk(path, inside)
                else:
                    notes.append(f"{inside} is no ordinary file and was left out.")
            except OSError as error:
                unread(error)


def _on_disk(path: Path, inside: PurePosixPath) -> Found:
    def read() -> bytes:
        try:
            with path.open("rb") as file:
                return _limited(file.read(MAX_FILE + 1))
        except OSError as error:
            raise ArchiveError(f"the file cannot be opened ({error.strerror})") from None

    return Found(inside, path.stat().st_mtime, read, _leftover(inside))


def _with_inner(files: Iterator[Found], notes: list[str]) -> Iterator[Found]:
    """The files, and in the place of a zip that a student handed in, what is in it."""
    shelves = [_Shelf() for _ in range(MAX_DEPTH)]
    for count, found in enumerate(files, start=1):
        if count > MAX_FILES:
            raise ArchiveError(
                f"the export has more than {MAX_FILES:,} files; give one assignment at a time."
            )
        yield from _unzipped(found, shelves, MAX_FILE + MAX_INNER * BYTES_A_MEMBER, notes)


def _unzipped(found: Found, shelves: Sequence[_Shelf], most: int, notes: list[str]) -> Iterator[Found]:
    """What is in a zip, and in the zips in it; of one that is empty or cannot be opened, the zip itself.

    `most` are the bytes that it may take. Zips inside of one zip share `MAX_NESTED` in equal parts: of a section's
    students nobody takes another's.
    """
    if found.path.suffix.lower() != ".zip" or found.leftover or not shelves:
        yield found
        return
    try:
        if found.size > most:
            raise ArchiveError("it is too large for a zip inside of zips")
        inner = shelves[0].members(found, notes, min(MAX_INNER, most // BYTES_A_MEMBER))
    except ArchiveError as error:
        notes.append(f"{found.path} was left out: {error}.")
        yield found
        return
    if not inner:
        yield replace(found, leftover="an empty zip")
    zips = sum(one.path.suffix.lower() == ".zip" for one in inner)
    for one in inner:
        yield from _unzipped(one, shelves[1:], MAX_NESTED // max(1, zips), notes)


class _Shelf:
    """Zips inside of the export at one depth, of which no more than one is in memory."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._found: Found | None = None
        self._members: dict[PurePosixPath, Found] = {}

    def members(self, found: Found, notes: list[str], most: int) -> list[Found]:
        """What is in the zip that was found; each member reads it anew once another one was opened."""
        self._fetch(found, notes, most)
        return [replace(m, read=partial(self._read, found, m.path)) for m in self._members.values()]

    def _fetch(self, found: Found, notes: list[str], most: int) -> None:
        self._open.close()
        self._found, self._members = None, {}
        data = io.BytesIO(found.read())
        archive = self._open.enter_context(_opened(data, str(found.path), MAX_INNER_DIRECTORY))
        if len(archive.infolist()) > most:
            raise ArchiveError(f"it holds {len(archive.infolist()):,} files, and {most:,} may be")
        inside = _members(archive, found.path.with_suffix(""), notes)
        self._found, self._members = found, {member.path: member for member in inside}

    def _read(self, found: Found, path: PurePosixPath) -> bytes:
        if self._found is not found:
            self._fetch(found, [], MAX_INNER)
        return self._members[path].read()


@contextmanager
def _opened(file: BinaryIO, name: str, most: int | None = None) -> Iterator[zipfile.ZipFile]:
    _check_directory(file, name, most or MAX_DIRECTORY)
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, struct.error) as error:
        raise ArchiveError(f"{name}: this zip archive is damaged ({error})") from None


def _check_directory(file: BinaryIO, name: str, most: int) -> None:
    """Refuse a table of contents that would not fit in memory before zipfile reads it."""
    end = file.seek(0, io.SEEK_END)
    file.seek(max(0, end - 66_000))
    tail = file.read()
    sizes = []
    at = tail.rfind(b"PK\5\6")
    if 0 <= at <= len(tail) - 22:
        sizes.append(struct.unpack_from("<L", tail, at + 12)[0])
    at = tail.rfind(b"PK\6\6")
    if sizes and sizes[0] == 0xFFFFFFFF and 0 <= at <= len(tail) - 56:
        sizes[0] = struct.unpack_from("<Q", tail, at + 40)[0]
    if sizes and sizes[0] > most:
        raise ArchiveError(f"{name}: the zip's table of contents has {sizes[0]:,} bytes; that is no export")
    file.seek(0)


def _members(archive: zipfile.ZipFile, inside: PurePosixPath, notes: list[str]) -> Iterator[Found]:
    """The files of an archive; of several with one name the last, as every program that unpacks leaves it."""
    unpacked = 0
    members: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        path = inside / _safe_path(_decoded(info))
        if info.filename.endswith("/"):  # is_dir() fails for a name that is empty
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            notes.append(f"{path} is a symbolic link and was left out.")
            continue
        unpacked += info.file_size
        if unpacked > MAX_TOTAL:
            raise ArchiveError(f"the zip unpacks to more than {MAX_TOTAL / 1e9:.0f} GB.")
        members[path] = info
    for path, info in members.items():
        yield Found(path, _zip_time(info), _member_reader(archive, info), _leftover(path), info.file_size)


def _member_reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        if info.flag_bits & 1:
            raise ArchiveError("the file is encrypted in the zip")
        if info.file_size > max(_SMALL, MAX_RATIO * info.compress_size):
            raise ArchiveError("the file would unpack to hundreds of times its size")
        try:
            with archive.open(info) as file:
                return _limited(file.read(MAX_FILE + 1))
        except ArchiveError:
            raise
        except Exception as error:  # zlib, lzma and zipfile each have their own errors for damaged data
            raise ArchiveError(f"the file is damaged in the zip ({type(error).__name__})") from None

    return read


def _limited(data: bytes) -> bytes:
    if len(data) > MAX_FILE:
        raise ArchiveError(f"the file is larger than {MAX_FILE / 1e6:.0f} MB")
    return data


def _decoded(info: zipfile.ZipInfo) -> str:
    """The member's name; many tools write UTF-8 without saying so, which zipfile reads as code page 437."""
    if info.flag_bits & 0x800:
        return info.filename
    with suppress(UnicodeError):
        raw = info.filename.encode("cp437")
        return _unicode_path(info.extra, raw) or raw.decode("utf-8")
    return info.filename


def _unicode_path(extra: bytes, raw: bytes) -> str:
    """The name in Unicode that Info-ZIP and WinRAR put beside the `raw` one, if it is still that one's; or nothing."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == 0x7075 and len(field) > 5 and struct.unpack_from("<L", field, 1)[0] == zlib.crc32(raw):
            return field[5:].decode("utf-8")
    return ""


def _safe_path(name: str) -> PurePosixPath:
    """The name without drive, root and `..`: it serves to recognise the student. Without one it may be a notebook."""
    parts = name.replace("\\", "/").replace("\0", "").split("/")
    kept = [_short(part) for part in parts if part not in _NO_NAMES]
    return _printable_path([*kept[:-1][:MAX_PARTS], kept[-1]] if kept else ["unnamed.ipynb"])


def _short(name: str) -> str:
    return name if len(name) <= 300 else name[:250] + name[-50:]


def _leftover(path: PurePosixPath) -> str:
    """What systems and editors leave behind, in a few words; empty for what a person may have handed in."""
    if ".ipynb_checkpoints" in path.parts:
        return "a checkpoint that Jupyter made"
    if "__MACOSX" in path.parts or path.name.startswith("._") or path.name == ".DS_Store":
        return "left by macOS"
    if path.name in ("Thumbs.db", "desktop.ini") or path.name.startswith("~$"):
        return "left by Windows or Office"
    if not _OF_PROGRAMS.isdisjoint(path.parts):
        return "left by a program"
    return "hidden" if any(part.startswith(".") for part in path.parts) else ""


def _zip_time(info: zipfile.ZipInfo) -> float:
    with suppress(ValueError, OverflowError):
        return datetime(*info.date_time).timestamp()
    return 0.0
