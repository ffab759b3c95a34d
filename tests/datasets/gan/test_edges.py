"""Edges → shoes: the filter draws thin outlines where a picture changes, and the splits are the documented ones."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from efficientlab.datasets.gan import edges
from efficientlab.datasets.gan.edges import (
    EDGE_THRESHOLD,
    SHIPPED,
    draw_edges,
    edges2shoes,
    footwear,
    footwear_pairs,
    load_edges2shoes,
    to_pixels,
)


def square(value: int = 255) -> torch.Tensor:
    picture = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)
    picture[..., 4:12, 4:12] = value
    return picture


@pytest.mark.parametrize("value", [0, 100, 255])
def test_a_picture_without_contrast_has_no_edges(value: int) -> None:
    assert not draw_edges(torch.full((2, 1, 16, 16), value, dtype=torch.uint8)).any()


def test_the_edges_of_a_square_are_its_outline() -> None:
    drawn = draw_edges(square())[0, 0] > 0
    assert drawn.any()
    assert not drawn[7:9, 7:9].any(), "the inside is flat"
    assert not drawn[:2].any(), "so is the far outside"
    rows = drawn[7].nonzero().flatten().tolist()
    assert rows
    assert all(abs(column - 3.5) <= 1 or abs(column - 11.5) <= 1 for column in rows)


def test_a_faint_square_has_none() -> None:
    assert not draw_edges(square(20)).any()


def test_grey_in_three_channels_is_grey() -> None:
    picture = edges2shoes("val", 20).picture
    assert torch.equal(draw_edges(picture.expand(-1, 3, -1, -1)), draw_edges(picture))


def test_colours_of_one_brightness_have_an_edge() -> None:
    red, green = (200.0, 0.0, 0.0), (0.0, 200 * 0.299 / 0.587, 0.0)  # Rec. 601 gives both the same brightness
    picture = torch.zeros(1, 3, 16, 16)
    picture[..., :8], picture[..., 8:] = (torch.tensor(c)[:, None, None] for c in (red, green))
    drawn = draw_edges(picture.to(torch.uint8))
    assert drawn.shape == (1, 1, 16, 16)
    assert set((drawn[0, 0, 8] > 0).nonzero().flatten().tolist()) <= {7, 8}
    assert drawn[0, 0].any(1).all()
    brightness = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    assert not draw_edges((picture * brightness).sum(1, keepdim=True).round().to(torch.uint8)).any()


def test_each_pixel_takes_the_channel_that_changes_most() -> None:
    picture = torch.stack([square()[0, 0], square().transpose(2, 3)[0, 0].roll(5, 0)])[None]  # (1, 2, 16, 16)
    picture[:, 1] //= 8  # too faint to be drawn
    assert torch.equal(draw_edges(picture), draw_edges(picture[:, :1]))


def test_edges_turn_with_the_picture() -> None:
    picture = edges2shoes("val", 20).picture
    turned = draw_edges(picture.transpose(2, 3)).transpose(2, 3)
    # diagonal edges may choose the other axis where both slopes are equal
    assert (turned != draw_edges(picture)).double().mean() < 0.005
    assert torch.equal(draw_edges(picture.flip(3)), draw_edges(picture).flip(3))


@settings(deadline=None, max_examples=20)
@given(st.floats(0.1, 3), st.floats(0.1, 3))
def test_a_higher_threshold_draws_a_part_of_the_same_lines(a: float, b: float) -> None:
    picture = edges2shoes("val", 8).picture
    fewer, more = (draw_edges(picture, threshold) > 0 for threshold in (max(a, b), min(a, b)))
    assert not (fewer & ~more).any()


@pytest.mark.parametrize("split", list(SHIPPED))
def test_the_shipped_pairs(split: str) -> None:
    pairs = edges2shoes(split)
    assert len(pairs) == SHIPPED[split]
    assert pairs.picture.shape == pairs.drawing.shape == (SHIPPED[split], 1, 32, 32)
    assert set(pairs.drawing.unique().tolist()) == {0, 255}
    assert torch.equal(pairs.drawing, draw_edges(pairs.picture, EDGE_THRESHOLD))
    share = (pairs.drawing > 0).double().mean().item()
    assert 0.04 < share < 0.15


def test_splits_share_no_picture() -> None:
    seen = [{p.numpy().tobytes() for p in edges2shoes(split).picture} for split in SHIPPED]
    assert not seen[0] & seen[1]
    assert not (seen[0] | seen[1]) & seen[2]


def test_a_part_and_its_range() -> None:
    pairs = edges2shoes("test", 10)
    part = pairs[torch.tensor([3, 1])]
    assert torch.equal(part.picture, pairs.picture[[3, 1]])
    assert torch.equal(part.drawing, pairs.drawing[[3, 1]])
    pixels = to_pixels(pairs.picture)
    assert pixels.min() == -1
    assert pixels.max() <= 1
    assert pairs.picture.dtype == torch.uint8, "the pairs themselves stay bytes"


@pytest.mark.parametrize("load", [edges2shoes, load_edges2shoes])
def test_an_unknown_split_is_named(load) -> None:
    with pytest.raises(ValueError, match="split must be one of train, val, test; got 'dev'"):
        load("dev")


@pytest.mark.parametrize("count", [0, 501])
def test_a_count_that_is_not_there(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} pairs of split 'val' were asked for; it has 1 to 500"):
        edges2shoes("val", count)


@pytest.fixture
def official(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, np.ndarray, np.ndarray]:
    """Files as the official ones, with 60 small pictures of all ten classes; splits of 10 and 5 of the footwear."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 28, 28), dtype=np.uint8)
    labels = np.arange(60, dtype=np.uint8) % 10
    for start in ("train", "t10k"):
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            (tmp_path / f"{start}-{kind}-ubyte.gz").write_bytes(gzip.compress(header + array.tobytes()))
    monkeypatch.setattr(edges, "SPLITS", {"train": 10, "val": 5, "test": 18})
    return tmp_path, images, labels


def test_the_official_files_are_split_in_their_order(official) -> None:
    folder, images, labels = official
    shoes = images[np.isin(labels, (5, 7, 9))]
    np.testing.assert_array_equal(footwear("train", folder), shoes[:10])
    np.testing.assert_array_equal(footwear("val", folder), shoes[10:15])
    np.testing.assert_array_equal(footwear("test", folder), shoes)
    pairs = load_edges2shoes("val", folder)
    assert torch.equal(pairs.picture, footwear_pairs(torch.from_numpy(shoes[10:15])).picture)
    assert not pairs.picture[..., :2, :].any(), "two rows of padding"


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"t10k-images-idx3-ubyte\.gz"):
        load_edges2shoes("test", tmp_path)
