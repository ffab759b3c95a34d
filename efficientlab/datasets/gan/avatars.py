"""Avatars: drawn faces with known attributes, for generators whose edits can be measured.

"Custom Avatar" by Ashley Seo (CC BY 4.0), as DiceBear's style *big-smile*, drawn at 32×32 by `data/make_avatars.py`.
The attributes are drawn independently of each other; the colours of hair and skin are continuous, so no two pictures
are the same. A subset ships; the full set is made by the command.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from efficientlab.datasets.files import data_path
from efficientlab.datasets.reading import arrays
from efficientlab.datasets.splits import check_split

SIZE = 32
SPLITS = {"train": 8_000, "val": 500, "test": 1_000}
SHIPPED = {"train": 2_000, "val": 500, "test": 800}  # of each split, the first ones
ATTRIBUTES = {
    "hair": ("short", "wavy", "bowl cut", "bun", "long", "curly", "curly bob", "shaved"),
    "eyes": ("open", "starry", "sleepy"),
    "mouth": ("laughing", "flat", "sad", "teeth"),
    "glasses": ("none", "sunglasses"),
    "colour": ("black", "brown", "blond", "orange", "teal", "violet"),
}
"""The attributes that are one of several; the columns of `Avatars.labels` in this order."""


class Avatars(NamedTuple):
    """Pictures and what was drawn."""

    pictures: Tensor
    """uint8 (N, 3, 32, 32)."""
    labels: Tensor
    """int64 (N, 5): the index of each of `ATTRIBUTES`. Sunglasses hide the eyes, whose label stays."""
    skin: Tensor
    """float (N,): how dark the skin is, from 0 to 1."""

    def attribute(self, name: str) -> Tensor:
        """One column of the labels, int64 (N,)."""
        return self.labels[:, list(ATTRIBUTES).index(name)]


def load_avatars(split: str, folder: Path | str | None = None) -> Avatars:
    """All pictures of a split: the shipped 2,000 / 500 / 800, or the full 8,000 / 500 / 1,000.

    Args:
        split: "train", "val" or "test".
        folder: with the full set, as `data/make_avatars.py` left it there; by default the shipped one.

    Raises:
        ValueError: unknown split, or a damaged data file.
        FileNotFoundError: there is no such file.
    """
    check_split(split)
    path = data_path("avatars.npz") if folder is None else Path(folder) / "avatars.npz"
    images, labels, skin = arrays(path, [f"{split}_{name}" for name in ("images", "labels", "skin")])
    known = [len(values) for values in ATTRIBUTES.values()]
    fits = images.dtype == np.uint8 and images.shape[1:] == (SIZE, SIZE, 3) and labels.dtype.kind in "iu"
    if not fits or labels.shape != (len(images), len(known)) or skin.shape != (len(images),):
        raise ValueError(
            f"{path} must hold pictures uint8 (N, {SIZE}, {SIZE}, 3), labels (N, {len(known)}) and skin (N,); got "
            f"{images.dtype} {images.shape}, {labels.dtype} {labels.shape} and {skin.shape}; make it again."
        )
    if (labels < 0).any() or (labels >= known).any():
        raise ValueError(f"{path} holds labels of values that do not exist; make it again.")
    pictures = torch.from_numpy(images).movedim(3, 1).contiguous()
    return Avatars(pictures, torch.from_numpy(labels).long(), torch.from_numpy(skin))
