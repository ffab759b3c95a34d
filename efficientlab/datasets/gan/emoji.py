"""Edges → emoji: a small paired set in colour, and how the shipped sheets of emoji are read.

The pictures are faces, animals, plants and food of Noto Emoji (Google; Apache-2.0), 32×32 on white; the drawings
are those of `edges.draw_edges`. `data/make_emoji.py` chose them so that no two are near-duplicates.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from efficientlab.datasets.files import data_path
from efficientlab.datasets.gan.edges import Pairs, draw_edges
from efficientlab.datasets.splits import check_split

EMOJI = {"train": 250, "val": 30, "test": 60}
EMOJI_COLUMNS = 20
SAME_LINES, SAME_PIXELS = 0.85, 0.05  # what makes two pictures near-duplicates


def edges2emoji(split: str) -> Pairs:
    """All 250 / 30 / 60 pairs of a split: drawing (N, 1, 32, 32), picture (N, 3, 32, 32).

    Raises:
        ValueError: unknown split, or a damaged data file.
        FileNotFoundError: the data file is missing.
    """
    check_split(split)
    parts = read_sheet("emoji.png", EMOJI_COLUMNS).split(list(EMOJI.values()))
    picture = parts[list(EMOJI).index(split)]
    return Pairs(draw_edges(picture), picture)


def read_sheet(name: str, columns: int) -> Tensor:
    """The tiles of a shipped sheet of 32×32 pictures, row by row: uint8 (N, 3, 32, 32)."""
    from PIL import Image

    with Image.open(data_path(name)) as sheet:
        pixels = torch.tensor(np.asarray(sheet.convert("RGB")))  # (32 · rows, 32 · columns, 3)
    tiles = pixels.unflatten(0, (-1, 32)).unflatten(2, (columns, 32))  # (rows, 32, columns, 32, 3)
    return tiles.permute(0, 2, 4, 1, 3).flatten(0, 1)


def near_duplicates(a: Pairs, b: Pairs) -> Tensor:
    """Which pictures of `a` look like which of `b`, or like its mirror image: bool (N, M).

    Two pictures are near-duplicates if their colours differ by less than 0.05 of the range on average, or if they
    are one drawing in two colours: at least 85 % of the lines of each lie within a pixel of a line of the other.
    """
    return _alike(a, b) | _alike(a, Pairs(b.drawing.flip(3), b.picture.flip(3)))


def _alike(a: Pairs, b: Pairs) -> Tensor:
    pixels = [pairs.picture.flatten(1).float() / 255 for pairs in (a, b)]  # (N, 3 · 32 · 32), (M, …)
    lines = [pairs.drawing.float() / 255 for pairs in (a, b)]
    around = [F.max_pool2d(drawn, 3, 1, 1) for drawn in lines]
    (la, lb), (wa, wb) = ([x.flatten(1) for x in part] for part in (lines, around))
    of_a = la @ wb.T / la.sum(1, keepdim=True).clamp(min=1)  # the share of a's lines that b has, too
    of_b = wa @ lb.T / lb.sum(1).clamp(min=1)
    distance = torch.cdist(pixels[0], pixels[1], p=1) / pixels[0].shape[1]
    return (distance < SAME_PIXELS) | (torch.minimum(of_a, of_b) >= SAME_LINES)
