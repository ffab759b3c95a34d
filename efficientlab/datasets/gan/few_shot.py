"""A hundred pictures to learn from, and many more that are held out: the sets of the lab on GANs from little data."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from efficientlab.datasets.fashion import fashion_pictures, load_sprites
from efficientlab.datasets.gan.edges import to_pixels
from efficientlab.datasets.gan.emoji import read_sheet

PEOPLE = {"train": 500, "held_out": 150, "test": 100}
PEOPLE_COLUMNS = 25
FASHION_TRAIN = 500  # the largest training set; what follows in the shipped training split is held out


class FewShot(NamedTuple):
    """Pictures float (N, C, 32, 32) in [−1, 1]; no picture is in two of the three sets."""

    train: Tensor
    held_out: Tensor  # to watch a run, and to choose
    test: Tensor  # for the final figure


def fashion_few_shot(n: int) -> FewShot:
    """Clothes of Fashion-MNIST in grey: n to learn from, n / 10 of each class; 1,100 held out; 480 for the test.

    The smaller training sets are parts of the larger ones, and the other two sets do not depend on n.

    Raises:
        ValueError: n is not a multiple of 10 from 10 to 500.
    """
    if n % 10 or not 10 <= n <= FASHION_TRAIN:
        raise ValueError(f"n must be a multiple of 10 from 10 to {FASHION_TRAIN}, got {n}")
    images, labels = load_sprites("train")
    pictures = fashion_pictures(torch.tensor(images))
    rows = [np.flatnonzero(labels == c) for c in range(10)]
    train = np.concatenate([row[: n // 10] for row in rows])
    rest = np.concatenate([row[FASHION_TRAIN // 10 :] for row in rows])
    val, test = (fashion_pictures(torch.tensor(load_sprites(split)[0])) for split in ("val", "test"))
    return FewShot(pictures[train], torch.cat([pictures[rest], val]), test)


def people_few_shot(n: int) -> FewShot:
    """People of Noto Emoji in colour, on white: n to learn from; 150 held out; 100 for the test.

    Skin tones and genders of one role are never in two sets. Smaller training sets are parts of larger ones.

    Raises:
        ValueError: n is not from 1 to 500.
    """
    if not 1 <= n <= PEOPLE["train"]:
        raise ValueError(f"n must be from 1 to {PEOPLE['train']}, got {n}")
    tiles = read_sheet("people.png", PEOPLE_COLUMNS)
    train, held_out, test = to_pixels(tiles).split(list(PEOPLE.values()))
    return FewShot(train[:n], held_out, test)
