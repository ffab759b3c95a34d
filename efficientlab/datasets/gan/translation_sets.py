"""The published sets of pix2pix and CycleGAN: pictures of two domains, in pairs or without.

- `paired_pictures` reads pix2pix's form (edges2shoes, maps, facades, Cityscapes): one file holds both pictures, side
  by side. Isola et al., "Image-to-image translation with conditional adversarial networks" (CVPR 2017).
- `unpaired_pictures` reads CycleGAN's form (horse2zebra, maps): a folder for each domain. Zhu et al., "Unpaired
  image-to-image translation using cycle-consistent adversarial networks" (ICCV 2017).

`fetch_cyclegan_set` downloads the sets whose checksums are published. pix2pix's archives have none, and Cityscapes asks
for a registration: unpack those yourself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from efficientlab.datasets.download import cache_folder, download
from efficientlab.datasets.pictures import read_picture
from efficientlab.datasets.reading import visible
from efficientlab.kernels.backend import whole

CYCLEGAN_URL = "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/"
CYCLEGAN_SETS = {  # sha256 of the archives, as TensorFlow Datasets records them
    "horse2zebra": "a74d9d392eecca9966b51287a76ca126af473d9de4f3e8fc0e9cda08fa1730a1",
    "maps": "639534f69dbf9f36bef8d6292a7698006361221f83f0285d7c9ca78afe6e8a9e",
}
SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class PictureFiles:
    """Pictures that are read when they are asked for: one index gives a uint8 tensor (3, size, size).

    Raises, when a picture is read:
        ValueError: it is too narrow for two, or cannot be decoded (`efficientlab.datasets.pictures.read_picture`).
    """

    files: Sequence[Path]
    size: int
    half: int | None = None  # 0 or 1: the left or the right half of each file

    def __post_init__(self) -> None:
        if whole("size", self.size) < 1:
            raise ValueError(f"size must be positive, got {self.size}.")

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        from PIL import Image

        picture = read_picture(self.files[index])
        width, height = picture.size
        if self.half is not None:
            middle = width // 2
            if not middle:
                raise ValueError(f"{self.files[index]} is {width} pixel wide, too narrow for two pictures.")
            picture = picture.crop((self.half * middle, 0, (self.half + 1) * middle, height))
        picture = picture.resize((self.size, self.size), Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(picture)).movedim(2, 0)  # (3, size, size)


def paired_pictures(
    root: Path | str, split: str, size: int = 256, reverse: bool = False
) -> tuple[PictureFiles, PictureFiles]:
    """Inputs and targets of pix2pix's form, ``root/split/*.jpg``: the left halves, and the right ones.

    Args:
        root: the unpacked set, such as ``edges2shoes``.
        split: a folder in it: "train", "val", or "test" where there is one.
        size: pixels a side, after resizing.
        reverse: the right halves are the inputs (maps and Cityscapes are read so: from labels to photographs).

    Raises:
        FileNotFoundError: no such folder, or no picture in it.
    """
    files = _pictures(Path(root) / split)
    left, right = PictureFiles(files, size, 0), PictureFiles(files, size, 1)
    return (right, left) if reverse else (left, right)


def unpaired_pictures(root: Path | str, split: str, size: int = 256) -> tuple[PictureFiles, PictureFiles]:
    """Both domains of CycleGAN's form, ``root/trainA`` and ``root/trainB`` (or test): they may differ in length.

    Raises:
        FileNotFoundError: no such folder, or no picture in it.
    """
    a, b = (PictureFiles(_pictures(Path(root) / f"{split}{domain}"), size) for domain in "AB")
    return a, b


def fetch_cyclegan_set(name: str, folder: Path | str | None = None, url: str = CYCLEGAN_URL) -> Path:
    """Path of the unpacked set, for `unpaired_pictures`; downloaded once, and its sha256 checked.

    Args:
        name: "horse2zebra" (117 MB) or "maps" (1.5 GB).
        folder: where it goes; pooch's cache folder by default.
        url: address of the folder with the archives.

    Raises:
        ValueError: an unknown set, or an archive with another checksum than recorded.
        ConnectionError: the download failed.
    """
    if name not in CYCLEGAN_SETS:
        raise ValueError(f"unknown set {name!r}; there are {', '.join(CYCLEGAN_SETS)}.")
    import pooch

    place = cache_folder(folder, "cyclegan")
    unpack = pooch.Unzip(extract_dir=".")
    instead = f"unpack the set into {place / name} and read it from there"
    download(f"{url.rstrip('/')}/{name}.zip", place, f"sha256:{CYCLEGAN_SETS[name]}", instead, unpack)
    return place / name


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; unpack the set there.")
    files = visible(folder, SUFFIXES)
    if not files:
        raise FileNotFoundError(f"{folder} holds no picture ({', '.join(SUFFIXES)}).")
    return files
