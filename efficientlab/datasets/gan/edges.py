"""Edges → shoes: pictures of footwear, and the line drawings that a documented filter makes of them.

The pictures are the sandals, sneakers and ankle boots of Fashion-MNIST (Xiao, Rasul & Vollgraf, 2017; MIT
licence), padded to 32×32. A subset ships with the package; the full 15,000 / 2,000 / 3,000 come by the usual
download, or from a folder with the original files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from efficientlab.datasets.fashion import FASHION_CLASSES, Sprites, load_fashion_mnist, read_idx
from efficientlab.datasets.files import data_path
from efficientlab.datasets.splits import check_split

FOOTWEAR = tuple(FASHION_CLASSES.index(name) for name in ("sandal", "sneaker", "ankle boot"))
SIZE = 32
SPLITS = {"train": 15_000, "val": 2_000, "test": 3_000}
SHIPPED = {"train": 2_000, "val": 500, "test": 1_500}
EDGE_THRESHOLD = 0.6  # of the gradient's magnitude, for pixels in [0, 1]


@dataclass(frozen=True)
class Pairs:
    """Drawings and the pictures they were made of, pixel on pixel."""

    drawing: Tensor  # uint8 (N, 1, 32, 32), 0 or 255
    picture: Tensor  # uint8 (N, C, 32, 32): C is 1 for grey and 3 for colour

    def __len__(self) -> int:
        return len(self.picture)

    def __getitem__(self, index: Tensor | slice) -> Pairs:
        return Pairs(self.drawing[index], self.picture[index])

    def to(self, device: torch.device | str) -> Pairs:
        return Pairs(self.drawing.to(device), self.picture.to(device))


def draw_edges(picture: Tensor, threshold: float = EDGE_THRESHOLD) -> Tensor:
    """The outline of each picture: 255 where there is an edge, 0 elsewhere.

    A binomial blur [1 2 1]/4 along both axes, the Sobel gradient (g_x, g_y), and then a pixel is an edge if its
    magnitude √(g_x² + g_y²) exceeds `threshold` and is no smaller than both neighbours' across the edge: left
    and right where |g_x| ≥ |g_y|, above and below elsewhere. So lines are thin, as in Canny's detector (1986).

    A colour picture has a gradient in each channel; at each pixel the largest counts, as in HOG (Dalal & Triggs,
    2005). The gradient of the brightness would not do: yellow on white is a step of 0.2 there and of 0.8 in blue,
    and two colours of one brightness have no edge at all.

    Shapes: picture uint8 (N, C, H, W) → uint8 (N, 1, H, W).
    """
    pixels = F.pad(picture.float() / 255, (2, 2, 2, 2), mode="replicate")
    planes = pixels.flatten(0, 1)[:, None]  # (N · C, 1, H + 4, W + 4)
    smooth = torch.tensor([1.0, 2.0, 1.0], device=picture.device)
    slope = torch.tensor([-1.0, 0.0, 1.0], device=picture.device)
    blurred = F.conv2d(planes, torch.outer(smooth, smooth)[None, None] / 16)  # (N · C, 1, H + 2, W + 2)
    sobel = torch.stack([torch.outer(smooth, slope), torch.outer(slope, smooth)])[:, None]  # (2, 1, 3, 3)
    gradient = F.conv2d(blurred, sobel).unflatten(0, picture.shape[:2])  # (N, C, 2, H, W)
    gx, gy = gradient.unbind(2)  # (N, C, H, W) each
    size, steepest = torch.hypot(gx, gy).max(1, keepdim=True)  # (N, 1, H, W) each
    gx, gy = gx.gather(1, steepest), gy.gather(1, steepest)  # (N, 1, H, W) each
    around = F.pad(size, (1, 1, 1, 1))
    across_x = torch.maximum(around[..., 1:-1, :-2], around[..., 1:-1, 2:])
    across_y = torch.maximum(around[..., :-2, 1:-1], around[..., 2:, 1:-1])
    peak = size >= torch.where(gx.abs() >= gy.abs(), across_x, across_y)
    return ((size > threshold) & peak).to(torch.uint8) * 255


def footwear_pairs(pictures: Tensor) -> Pairs:
    """Pairs from 28×28 pictures: uint8 (n, 28, 28), padded by 2 black pixels on each side."""
    padded = F.pad(pictures, (2, 2, 2, 2))[:, None]  # (n, 1, 32, 32)
    return Pairs(draw_edges(padded), padded)


def edges2shoes(split: str, count: int | None = None) -> Pairs:
    """The shipped subset: 2,000 / 500 / 1,500 pairs for train / val / test, the first of `load_edges2shoes`.

    Args:
        split: "train", "val" or "test".
        count: only the first so many.

    Raises:
        ValueError: unknown split, a count that the split does not have, or a damaged data file.
        FileNotFoundError: the data file is missing.
    """
    check_split(split)
    count = SHIPPED[split] if count is None else count
    if not 1 <= count <= SHIPPED[split]:
        raise ValueError(f"{count} pairs of split {split!r} were asked for; it has 1 to {SHIPPED[split]}.")
    with np.load(data_path("footwear.npz"), allow_pickle=False) as arrays:
        return footwear_pairs(torch.from_numpy(arrays[split][:count]))


def load_edges2shoes(split: str, folder: Path | str | None = None) -> Pairs:
    """All 15,000 / 2,000 / 3,000 pairs.

    Train and val are the first 15,000 and the next 2,000 footwear pictures of the official training file, in its
    order; test is all of the official test file's.

    Args:
        split: "train", "val" or "test".
        folder: with the four ``*-ubyte.gz`` files, such as Debian's package dataset-fashion-mnist installs; by
            default they are downloaded once (31 MB).

    Raises:
        ValueError: unknown split, or a damaged file.
        FileNotFoundError: the folder has no such file.
        ConnectionError: the download failed.
    """
    return footwear_pairs(torch.from_numpy(footwear(split, folder)))


def footwear(split: str, folder: Path | str | None = None) -> NDArray[np.uint8]:
    """The footwear pictures of a split: uint8 (n, 28, 28); arguments as in `load_edges2shoes`."""
    check_split(split)
    start = SPLITS["train"] if split == "val" else 0
    images, labels = _official("t10k" if split == "test" else "train", folder)
    return images[np.isin(labels, FOOTWEAR)][start : start + SPLITS[split]]


def _official(file: str, folder: Path | str | None) -> Sprites:
    """Images (n, 28, 28) and labels (n,) of an official file, in its order."""
    if folder is not None:
        images, labels = (
            read_idx(Path(folder) / f"{file}-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1")
        )
        if images.shape[1:] != (28, 28) or labels.shape != (len(images),):
            raise ValueError(
                f"{folder}: {file}-*-ubyte.gz must be pictures of 28 × 28 and a label for each; got "
                f"{images.shape} and {labels.shape}."
            )
        return images, labels.astype(np.int64)
    parts = [load_fashion_mnist(split) for split in (("test",) if file == "t10k" else ("train", "val"))]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def to_pixels(image: Tensor) -> Tensor:
    """uint8 0 … 255 → float −1 … 1, the generators' range, of the same shape."""
    return image.float() / 127.5 - 1
