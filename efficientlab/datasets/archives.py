"""Download a published zip archive once, prove that it is the same as before, and unpack it."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from pathlib import Path

from efficientlab.datasets.download import cache_folder, download_zip
from efficientlab.datasets.reading import is_visible

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
    place = cache_folder(folder)
    return _unpacked(download_zip(url, place, sha256), place)


def _unpacked(archive: Path, place: Path) -> Path:
    """Unpacks beside the final folder and moves it there as the last step, so that a folder is whole or absent."""
    try:
        with zipfile.ZipFile(archive) as content:
            tops = {name.partition("/")[0] for name in content.namelist()}
            tops = {name for name in tops if is_visible(Path(name))}
            if len(tops) != 1:
                raise ValueError(
                    f"{archive} must hold one folder, it holds {', '.join(sorted(tops)) or 'none'}."
                )
            (top,) = tops
            if not any(name.startswith(f"{top}/") for name in content.namelist()):
                raise ValueError(f"{archive} must hold one folder, it holds the file {top}.")
            target = place / top
            if not target.is_dir():
                with tempfile.TemporaryDirectory(dir=place) as scratch:
                    content.extractall(scratch)
                    _take_place(Path(scratch) / top, target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(  # a RuntimeError: it is encrypted
            f"{archive} is not a zip archive that can be read ({error}); delete it and download it again."
        ) from error
    return target


def _take_place(folder: Path, target: Path) -> None:
    """Moves a folder to its place, unless another process has unpacked it there meanwhile."""
    try:
        folder.rename(target)
    except OSError:
        if not target.is_dir():
            raise
