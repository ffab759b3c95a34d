"""Download a published file once, and prove that it is the same as before."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

from efficientlab.datasets.reading import text
from efficientlab.files import write_text


def cache_folder(folder: Path | str | None, name: str = "") -> Path:
    """`folder`, or without one the folder `name` in pooch's cache of this package."""
    import pooch

    return Path(folder) if folder is not None else Path(pooch.os_cache("efficientlab")) / name


def download(url: str, place: Path, known: str | None, instead: str = "", processor: Any = None) -> Path:
    """Path of the file in `place`; downloaded unless one with the right checksum is there.

    Args:
        url: of the file; its last part is the file's name.
        place: the folder.
        known: "algorithm:checksum", or None for any content.
        instead: what a reader without a network can do; by default to put the file there.
        processor: pooch's, for what follows the download.

    Raises:
        ValueError: the file has another checksum.
        ConnectionError: the download failed.
        OSError: the place cannot be written to, or is full.
    """
    import pooch

    address, _, name = url.rpartition("/")
    try:
        got = pooch.retrieve(url, known, fname=name, path=place, processor=processor)
    except ValueError as error:  # pooch's word for another checksum
        raise ValueError(
            f"{address} served {name} with another checksum than {known}; try again later."
        ) from error
    except OSError as error:  # requests' exceptions are OSErrors, without a number
        if error.errno is not None or isinstance(error, PermissionError):
            raise
        there = known is not None and (place / name).is_file()
        why = f", and {place / name} has another checksum than {known}" if there else ""
        raise ConnectionError(
            f"could not download {name} from {address} ({type(error).__name__}){why}; "
            f"check the network, or {instead or f'put the file into {place} yourself'}."
        ) from error
    return place / name if processor else Path(got)


def download_zip(url: str, place: Path, sha256: str | None = None) -> Path:
    """Path of a zip archive in `place`, whose publisher may give no checksum.

    Pass `sha256` if your course has agreed on one. Otherwise the first download's checksum is printed and kept beside
    the archive, and any later one must have it.

    Raises:
        ValueError: the archive has another checksum, or is no zip archive.
        ConnectionError: the download failed.
    """
    name = url.rpartition("/")[2]
    note = place / f"{name}.sha256"
    known = (sha256 or (text(note) if note.is_file() else "")).strip() or None
    try:
        archive = download(url, place, known and f"sha256:{known}")
    except ValueError as error:
        if sha256 or known is None:
            raise
        raise ValueError(f"{error} If the publisher has renewed the archive, delete {note}.") from error
    if not zipfile.is_zipfile(archive):
        raise ValueError(f"{archive} is not a zip archive; delete it and download it again.")
    if known is None:
        with archive.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        print(f"{name}: sha256 {digest}, kept in {note.name}")
        write_text(note, digest)
    return archive
