"""Fashion-MNIST: real pictures of clothing (Xiao, Rasul & Vollgraf, 2017; MIT licence); as sprites, and for the GANs.

A subset ships with the package, so that the labs need no network. The full set comes by the usual download.
"""

import gzip
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from efficientlab.datasets.download import cache_folder, download
from efficientlab.datasets.files import data_path
from efficientlab.datasets.splits import check_split

FASHION_CLASSES = (
    "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
FASHION_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
FASHION_FILES = {  # md5 as the authors publish them
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
VAL_IMAGES = 5000  # the last ones of the official training split

Sprites = tuple[NDArray[np.uint8], NDArray[np.int64]]


def load_sprites(split: str) -> Sprites:
    """The shipped subset: 128 / 32 / 48 images of each of the ten classes for train / val / test.

    Returns:
        images: uint8 (n, 28, 28), 0 where there is no clothing.
        labels: int64 (n,), indices into `FASHION_CLASSES`.

    Raises:
        ValueError: unknown split, or a damaged data file.
        FileNotFoundError: the data file is missing.
    """
    check_split(split)
    with np.load(data_path("sprites.npz"), allow_pickle=False) as arrays:
        return arrays[f"{split}_images"], arrays[f"{split}_labels"].astype(np.int64)


def load_fashion_mnist(split: str, folder: Path | str | None = None, url: str = FASHION_URL) -> Sprites:
    """The full set, downloaded once (31 MB): 55,000 / 5,000 / 10,000 images for train / val / test.

    Args:
        split: "train", "val" (the last 5,000 images of the official training split) or "test".
        folder: where the four ``*-ubyte.gz`` files are or go; pooch's cache folder by default.
        url: address of the folder with the files.

    Returns:
        images uint8 (n, 28, 28) and labels int64 (n,), as `load_sprites` gives them.

    Raises:
        ValueError: unknown split, or a downloaded file whose checksum is not the published one.
        ConnectionError: the download failed.
    """
    check_split(split)
    start = "t10k" if split == "test" else "train"
    images = read_idx(_fetch(f"{start}-images-idx3-ubyte.gz", folder, url))
    labels = read_idx(_fetch(f"{start}-labels-idx1-ubyte.gz", folder, url)).astype(np.int64)
    keep = {"train": slice(None, -VAL_IMAGES), "val": slice(-VAL_IMAGES, None), "test": slice(None)}[split]
    return images[keep], labels[keep]


def read_idx(path: Path | str) -> NDArray[np.uint8]:
    """Reads a gzipped IDX file of bytes: magic 0, 0, 8, number of dimensions; big-endian sizes; the bytes.

    Raises:
        ValueError: not a gzip file, not an IDX file of bytes, or of another length than its header says.
    """
    try:
        content = gzip.decompress(Path(path).read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(
            f"{path} is not a whole gzip file ({error}); delete it and download it again."
        ) from error
    if content[:3] != b"\0\0\x08" or len(content) < 4 or len(content) < 4 + 4 * content[3]:
        raise ValueError(f"{path} is not an IDX file of bytes: it starts with {content[:4].hex(' ')}.")
    shape = struct.unpack_from(f">{content[3]}I", content, 4)
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * content[3])
    if values.size != prod(shape):
        raise ValueError(f"{path} is cut short: its header says {shape}, but it holds {values.size} bytes.")
    return values.reshape(shape)


def _fetch(name: str, folder: Path | str | None, url: str) -> Path:
    """Path of one original file; downloads it unless a file with the right checksum is there."""
    place = cache_folder(folder, "fashion-mnist")
    return download(f"{url.rstrip('/')}/{name}", place, f"md5:{FASHION_FILES[name]}")


def fashion_pictures(images: Tensor) -> Tensor:
    """Fashion-MNIST as the labs on GANs see it: uint8 (N, 28, 28) → float (N, 1, 32, 32) in [−1, 1].

    Two rows and columns of background, −1, are put on each side; the pixels themselves are not resampled.
    """
    return F.pad(images.float() / 127.5 - 1, (2, 2, 2, 2), value=-1.0)[:, None]
