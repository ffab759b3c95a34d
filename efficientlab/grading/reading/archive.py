"""The files of a folder or a zip archive, as an LMS exports them, read with limits and never written by their names.

Nothing here trusts a name or a size: a member is read up to a limit whatever its header says, links and encrypted
members are refused, and the caller chooses where the bytes go. So `../x`, bombs and symbolic links do no harm.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from efficientlab.grading.reading.notebook import MAX_BYTES

MAX_FILES = 50_000
MAX_TOTAL = 20_000_000_000  # bytes of all files together
MAX_RATIO = 300  # of unpacked to packed size, for members that are not small
MAX_DIRECTORY = 32_000_000  # bytes of a zip's table of contents
_SMALL = 1_000_000
_IGNORED = ("__MACOSX", ".ipynb_checkpoints", "__pycache__", "node_modules")


class ArchiveError(Exception):
    """The whole export cannot be read; the message names it and what to do."""


@dataclass(frozen=True)
class Found:
    """One file of the export. `read` gives its bytes, or raises `ArchiveError` with the reason in one sentence."""

    path: PurePosixPath  # inside the export
    modified: float  # seconds since 1970, as far as the export says
    read: Callable[[], bytes]


@contextmanager
def open_export(source: Path) -> Iterator[tuple[list[Found], list[str]]]:
    """The files of the folder, zip or single notebook at `source`, and a sentence for each that was left out."""
    notes: list[str] = []
    if source.is_dir():
        yield list(_with_nested(_folder_files(source, notes), notes)), notes
    elif not source.is_file():
        raise ArchiveError(f"{source}: there is no such file or folder.")
    elif zipfile.is_zipfile(source):
        with source.open("rb") as file, _opened(file, str(source)) as archive:
            yield list(_with_nested(_members(archive, PurePosixPath(), notes), notes)), notes
    elif source.suffix.lower() == ".zip":
        raise ArchiveError(f"{source}: this is not a zip archive, or it is damaged; download it again.")
    else:
        yield [_on_disk(source, PurePosixPath(source.name))], notes


def _folder_files(folder: Path, notes: list[str]) -> Iterator[Found]:
    for path in sorted(folder.rglob("*")):
        inside = PurePosixPath(path.relative_to(folder).as_posix())
        if path.is_symlink():
            notes.append(f"{inside} is a symbolic link and was left out.")
        elif path.is_file() and not _ignored(inside):
            yield _on_disk(path, inside)


def _on_disk(path: Path, inside: PurePosixPath) -> Found:
    def read() -> bytes:
        try:
            with path.open("rb") as file:
                return _limited(file.read(MAX_BYTES + 1))
        except OSError as error:
            raise ArchiveError(f"the file cannot be opened ({error.strerror})") from None

    return Found(inside, path.stat().st_mtime, read)


def _with_nested(files: Iterator[Found], notes: list[str]) -> Iterator[Found]:
    """The files, and in the place of a zip that a student handed in, what is in it."""
    total = 0
    for found in files:
        total += 1
        if total > MAX_FILES:
            raise ArchiveError(
                f"the export has more than {MAX_FILES:,} files; give one assignment at a time."
            )
        if found.path.suffix.lower() != ".zip":
            yield found
            continue
        try:
            for member in list(_open_nested(found, notes)):
                total += 1
                yield replace(member, read=partial(_read_nested, found, member.path))
        except ArchiveError as error:
            notes.append(f"{found.path} was left out: {error}.")
            yield found


def _open_nested(found: Found, notes: list[str]) -> Iterator[Found]:
    with _opened(io.BytesIO(found.read()), str(found.path)) as archive:
        yield from _members(archive, found.path.with_suffix(""), notes)


def _read_nested(found: Found, path: PurePosixPath) -> bytes:
    """Open the inner zip anew, so that no more than one of them is in memory."""
    for member in _open_nested(found, []):
        if member.path == path:
            return member.read()
    raise ArchiveError("the file is no longer in its zip")


@contextmanager
def _opened(file: BinaryIO, name: str) -> Iterator[zipfile.ZipFile]:
    _check_directory(file, name)
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, struct.error) as error:
        raise ArchiveError(f"{name}: this zip archive is damaged ({error})") from None


def _check_directory(file: BinaryIO, name: str) -> None:
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
    if sizes and sizes[0] > MAX_DIRECTORY:
        raise ArchiveError(f"{name}: the zip's table of contents has {sizes[0]:,} bytes; that is no export")
    file.seek(0)


def _members(archive: zipfile.ZipFile, inside: PurePosixPath, notes: list[str]) -> Iterator[Found]:
    unpacked = 0
    for info in archive.infolist():
        path = inside / _safe_path(_decoded(info))
        if info.filename.endswith("/") or _ignored(path):  # is_dir() fails for a name that is empty
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            notes.append(f"{path} is a symbolic link and was left out.")
            continue
        unpacked += info.file_size
        if unpacked > MAX_TOTAL:
            raise ArchiveError(f"the zip unpacks to more than {MAX_TOTAL / 1e9:.0f} GB.")
        yield Found(path, _zip_time(info), _member_reader(archive, info))


def _member_reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        if info.flag_bits & 1:
            raise ArchiveError("the file is encrypted in the zip")
        if info.file_size > max(_SMALL, MAX_RATIO * info.compress_size):
            raise ArchiveError("the file would unpack to hundreds of times its size")
        try:
            with archive.open(info) as file:
                return _limited(file.read(MAX_BYTES + 1))
        except ArchiveError:
            raise
        except Exception as error:  # zlib, lzma and zipfile each have their own errors for damaged data
            raise ArchiveError(f"the file is damaged in the zip ({type(error).__name__})") from None

    return read


def _limited(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise ArchiveError(f"the file is larger than {MAX_BYTES / 1e6:.0f} MB")
    return data


def _decoded(info: zipfile.ZipInfo) -> str:
    """The member's name; many tools write UTF-8 without saying so, which zipfile reads as code page 437."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _safe_path(name: str) -> PurePosixPath:
    """The name without drive, root and `..`: it only serves to recognise the student."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return (
        PurePosixPath(*(part.replace("\0", "")[:300] for part in parts))
        if parts
        else PurePosixPath("unnamed")
    )


def _ignored(path: PurePosixPath) -> bool:
    """What systems leave behind: macOS resource forks, checkpoints, hidden files."""
    return any(part in _IGNORED for part in path.parts) or path.name.startswith(".")


def _zip_time(info: zipfile.ZipInfo) -> float:
    try:
        return datetime(*info.date_time).timestamp()
    except (ValueError, OverflowError):
        return 0.0
