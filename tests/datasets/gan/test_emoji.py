"""Edges → emoji: the shipped sheet, its splits, and that no picture of one is another's in disguise."""

from __future__ import annotations

import pytest
import torch

from efficientlab.datasets.gan.edges import Pairs, draw_edges
from efficientlab.datasets.gan.emoji import EMOJI, edges2emoji, near_duplicates


@pytest.mark.parametrize("split", list(EMOJI))
def test_the_shipped_pairs(split: str) -> None:
    pairs = edges2emoji(split)
    assert pairs.picture.shape == (EMOJI[split], 3, 32, 32)
    assert pairs.drawing.shape == (EMOJI[split], 1, 32, 32)
    assert pairs.picture.dtype == pairs.drawing.dtype == torch.uint8
    assert torch.equal(pairs.drawing, draw_edges(pairs.picture))
    assert (pairs.drawing > 0).flatten(1).any(1).all(), "every picture has lines"
    chroma = pairs.picture.amax(1).int() - pairs.picture.amin(1).int()
    assert chroma.double().mean() > 30, "in colour"
    corners = pairs.picture[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners > 240).double().mean() > 0.9, "on white"


@pytest.mark.slow
def test_no_two_pictures_are_near_duplicates() -> None:
    splits = [edges2emoji(split) for split in EMOJI]
    everything = Pairs(*(torch.cat([getattr(s, part) for s in splits]) for part in ("drawing", "picture")))
    alike = near_duplicates(everything, everything)
    assert alike.diagonal().all()
    assert not alike.fill_diagonal_(False).any()


def shifted(pairs: Pairs, by: int) -> Pairs:
    picture = pairs.picture.roll(by, 3)
    return Pairs(draw_edges(picture), picture)


def test_what_is_alike() -> None:
    some = edges2emoji("val")
    every = torch.eye(len(some), dtype=torch.bool)
    recoloured = some.picture[:, [1, 2, 0]]  # the gradients swap channels, and the largest stays the largest
    assert torch.equal(near_duplicates(some, Pairs(draw_edges(recoloured), recoloured)), every)
    mirrored = Pairs(some.drawing.flip(3), some.picture.flip(3))
    assert torch.equal(near_duplicates(some, mirrored), every)
    fainter = (255 - (255 - some.picture.int()) * 0.9).to(torch.uint8)
    assert near_duplicates(some, Pairs(draw_edges(fainter), fainter)).diagonal().all()
    assert near_duplicates(some, shifted(some, 1)).diagonal().double().mean() > 0.9
    assert near_duplicates(some, shifted(some, 16)).double().mean() < 0.01


def test_it_does_not_matter_which_comes_first() -> None:
    train, test = edges2emoji("train"), shifted(edges2emoji("train")[::2], 2)
    assert torch.equal(near_duplicates(train, test), near_duplicates(test, train).T)


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(ValueError, match="split must be one of train, val, test; got 'dev'"):
        edges2emoji("dev")
