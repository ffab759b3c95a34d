"""The published sets of GANs from little data, in their publishers' formats: parts of CIFAR-10, and the 100-shot sets.

Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training" (NeurIPS 2020) trains on 10 % and 20 % of
CIFAR-10 (Krizhevsky, 2009), and on folders of a hundred pictures. Neither ships here.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from efficientlab.datasets.download import cache_folder, download, download_zip
from efficientlab.datasets.pictures import read_picture
from efficientlab.datasets.reading import is_visible
from efficientlab.datasets.splits import check_split
from efficientlab.kernels.backend import whole

CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
CIFAR10_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"  # as its page gives it
SHOTS_URL = "https://hanlab.mit.edu/projects/data-efficient-gans/datasets/"
SHOTS = ("100-shot-obama", "100-shot-grumpy_cat", "100-shot-panda")
_RECORD = 1 + 3 * 32 * 32  # a label, and three planes of 32 × 32 pixels


def cifar10(
    split: str,
    share: float = 1.0,
    folder: Path | str | None = None,
    url: str = CIFAR10_URL,
    md5: str = CIFAR10_MD5,
) -> tuple[Tensor, Tensor]:
    """Pictures float (N, 3, 32, 32) in [−1, 1] and labels int64 (N,), of CIFAR-10's binary version (170 MB, once).

    Args:
        split: "train" (50,000) or "test" (10,000).
        share: of each class, the first pictures in the file's order; 0.1 and 0.2 are the paper's settings.
        folder: where the archive is or goes; pooch's cache folder by default.
        url, md5: of the archive.

    Raises:
        ValueError: unknown split; a share that is not in (0, 1]; another checksum; a file of another form.
        ConnectionError: the download failed.
    """
    check_split(split, ("train", "test"))
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, got {share}")
    archive = download(url, cache_folder(folder), f"md5:{md5}")
    wanted = [f"data_batch_{n}.bin" for n in range(1, 6)] if split == "train" else ["test_batch.bin"]
    raw = _members(archive, wanted)
    if not raw or len(raw) % _RECORD:
        raise ValueError(f"{archive}: {len(raw)} bytes are no whole number of records of {_RECORD} bytes.")
    records = torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(-1, _RECORD)
    labels = records[:, 0].long()
    if labels.max() > 9:
        raise ValueError(f"{archive}: labels must be 0 to 9, got {int(labels.max())}.")
    keep = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        rows = (labels == label).nonzero()[:, 0]
        keep[rows[: round(share * len(rows))]] = True
    if not keep.any():
        raise ValueError(f"{archive}: a share of {share} of its classes is no picture.")
    pictures = records[keep, 1:].view(-1, 3, 32, 32).float() / 127.5 - 1
    return pictures, labels[keep]


def _members(archive: Path, wanted: list[str]) -> bytes:
    """The content of the files with these names, one after the other."""
    try:
        with tarfile.open(archive) as content:
            files = {Path(member.name).name: member for member in content.getmembers() if member.isfile()}
            batches = [content.extractfile(files[name]) for name in wanted if name in files]
            raw = b"".join(batch.read() for batch in batches if batch is not None)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"{archive} is not a tar archive that can be read ({error}); delete it and download it again."
        ) from error
    if missing := [name for name in wanted if name not in files]:
        raise ValueError(f"{archive} holds no {', '.join(missing)}: it is not CIFAR-10's binary version.")
    return raw


def hundred_shot(
    name: str,
    size: int = 32,
    folder: Path | str | None = None,
    url: str = SHOTS_URL,
    sha256: str | None = None,
) -> Tensor:
    """A set of about a hundred pictures, float (N, 3, size, size) in [−1, 1]: the published zip, scaled down.

    Every PNG and JPEG of the archive is read, in the order of names. The publishers give no checksum. Without
    `sha256` the first download's is kept beside the archive, and any later one must have it.

    Args:
        name: one of `SHOTS`, or another archive's name at `url`, without ".zip".
        size: rows and columns of the result; pictures are averaged over areas.

    Raises:
        ValueError: another checksum; not a zip; no picture in it, or one that cannot be decoded; a size below 1.
        ConnectionError: the download failed.
    """
    size = whole("size", size)
    if size < 1:
        raise ValueError(f"size must be positive, got {size}.")
    archive = download_zip(f"{url.rstrip('/')}/{name}.zip", cache_folder(folder), sha256)
    pictures = []
    try:
        with zipfile.ZipFile(archive) as content:
            names = [n for n in content.namelist() if n.lower().endswith((".png", ".jpg", ".jpeg"))]
            shown = [n for n in names if all(map(is_visible, (path := PurePosixPath(n), *path.parents[:-1])))]
            for member in sorted(shown):
                picture = read_picture(io.BytesIO(content.read(member)), f"{archive}/{member}")
                pixels = torch.from_numpy(np.array(picture))  # (H, W, 3)
                pictures.append(F.adaptive_avg_pool2d(pixels.movedim(2, 0).float(), size))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(  # a RuntimeError: it is encrypted
            f"{archive} is not a zip archive that can be read ({error}); delete it and download it again."
        ) from error
    if not pictures:
        raise ValueError(f"{archive} holds no PNG or JPEG.")
    return torch.stack(pictures) / 127.5 - 1
