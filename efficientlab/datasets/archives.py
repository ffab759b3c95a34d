"""Download a published zip archive once, prove that it is the same as before, and unpack it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

SHAPENET_PART_URL = (
    "https://shapenet.cs.stanford.edu/media/shapenetcore_partanno_segmentation_benchmark_v0_normal.zip"
)
MODELNET40_URL = "https://shapenet.cs.stanford.edu/media/modelnet40_normal_resampled.zip"


def fetch_archive(url: str, folder: Path | str | None = None, sha256: str | None = None) -> Path:
    """The folder that a zip archive unpacks to; downloaded and unpacked only if it is not there yet.

    The publishers of ShapeNet-Part and ModelNet40 give no checksums. Pass `sha256` if your course has agreed on one.
    Otherwise the first download's checksum is printed and kept beside the archive, and any later one must have it.

    Args:
        url: of the archive, which holds one folder.
        folder: where the archive and its content go; pooch's cache folder by default.
        sha256: of the archive, in hexadecimal.

    Raises:
        ValueError: the archive has another checksum, or is not a zip of one folder.
        ConnectionError: the download failed.
    """
    import pooch

    place = Path(folder) if folder is not None else Path(pooch.os_cache("efficientlab"))
    name = url.rpartition("/")[2]
    note = place / f"{name}.sha256"
    expected = sha256 or (note.read_text(encoding="ascii").strip() if note.is_file() else None)
    try:
        got = Path(pooch.retrieve(url, expected and f"sha256:{expected}", fname=name, path=place))
    except ValueError as error:  # pooch's word for another checksum
        raise ValueError(
            f"{url} served {name} with another sha256 than {expected}; if the publisher has renewed it, "
            f"delete {note}."
        ) from error
    except OSError as error:  # requests' exceptions are OSErrors
        raise ConnectionError(
            f"could not download {name} from {url} ({type(error).__name__}); "
            f"check the network, or put the file into {place} yourself."
        ) from error
    if expected is None:
        with got.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        print(f"{name}: sha256 {digest}, kept in {note.name}")
        _write(note, digest)
    return _unpacked(got, place)


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="ascii")
    beside.replace(path)


def _unpacked(archive: Path, place: Path) -> Path:
    """Unpacks beside the final folder and moves it there as the last step, so that a folder is whole or absent."""
    try:
        with zipfile.ZipFile(archive) as content:
            tops = {name.partition("/")[0] for name in content.namelist()} - {"__MACOSX"}
            if len(tops) != 1:
                raise ValueError(
                    f"{archive} must hold one folder, it holds {', '.join(sorted(tops)) or 'none'}."
                )
            target = place / tops.pop()
            if not target.is_dir():
                with tempfile.TemporaryDirectory(dir=place) as scratch:
                    content.extractall(scratch)
                    shutil.move(Path(scratch) / target.name, target)
    except zipfile.BadZipFile as error:
        raise ValueError(
            f"{archive} is not a zip archive ({error}); delete it and download it again."
        ) from error
    return target
