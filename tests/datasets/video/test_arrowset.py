import dataclasses

import numpy as np
import pytest
import torch

from efficientlab.datasets.fashion import FASHION_CLASSES, load_sprites
from efficientlab.datasets.video.arrowset import (
    _CLOTHES,
    _SEGMENTS,
    CLASS_NAMES,
    KINDS,
    NOUNS,
    Clips,
    _segment,
    arrowset,
)
from efficientlab.datasets.video.backgrounds import load_backgrounds

SPLITS = ("train", "val", "test")


def same(a: Clips, b: Clips) -> bool:
    names = [f.name for f in dataclasses.fields(Clips)]
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in names)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("size", "frames"), [(32, 8), (48, 5)])
def test_shapes_types_and_labels(split, size, frames):
    clips = arrowset(split, 48, size=size, frames=frames)
    assert clips.video.shape == (48, frames, 3, size, size)
    assert clips.video.dtype == torch.uint8
    assert clips.video.is_contiguous()
    for field in (clips.kind, clips.arrow, clips.noun, clips.label):
        assert field.shape == (48,)
        assert field.dtype == torch.int64
    assert torch.equal(clips.label, 2 * clips.kind + clips.arrow)
    assert torch.bincount(clips.label, minlength=12).tolist() == [4] * 12
    assert len(CLASS_NAMES) == 2 * len(KINDS) == 12
    assert clips.noun.max() < len(NOUNS)
    assert (clips.noun[clips.kind == KINDS.index("order")] == NOUNS.index("shoe")).all()


@pytest.mark.parametrize("split", ["val", "test"])
def test_val_and_test_clips_are_pairs_of_a_scene_and_its_reversal(split):
    clips = arrowset(split, 120)
    one, other = clips[0::2], clips[1::2]
    assert (one.arrow == 0).all()
    assert same(other, one.reversed())
    # Averaging frames loses the arrow exactly, whatever is computed from each frame.
    features = clips.video.double().pow(1.7).sum((3, 4))  # (N, T, 3)
    means = features.sort(dim=1).values.mean(1)
    assert torch.equal(means[0::2], means[1::2])
    # The pairs would prove nothing if clips did not change over time.
    assert (one.video != other.video).flatten(1).any(1).all()


def test_training_clips_are_scenes_of_their_own():
    clips = arrowset("train", 96)
    frames = clips.video.flatten(0, 1).flatten(1)
    assert len(torch.unique(frames, dim=0)) > 0.95 * len(frames)
    assert torch.bincount(clips.arrow).tolist() == [48, 48]


def sprite_centres(clips: Clips) -> torch.Tensor:
    """Where the picture differs from its own time-average: float (N, T, 2) of x, y."""
    video = clips.video.float()
    change = (video - video.mean(1, keepdim=True)).abs().mean(2)  # (N, T, H, W)
    weight = change / change.sum((2, 3), keepdim=True)
    grid = torch.arange(video.shape[-1], dtype=torch.float32)
    return torch.stack([(weight.sum(2) * grid).sum(-1), (weight.sum(3) * grid).sum(-1)], -1)


@pytest.mark.parametrize(("kind", "axis"), [("move sideways", 0), ("move upright", 1)])
def test_arrow_zero_moves_right_and_down(kind, axis):
    """Bright sprites on a black stage, so that the direction can be read off the pixels."""
    clips = arrowset("train", 240)
    clips = clips[clips.kind == KINDS.index(kind)]
    step = sprite_centres(clips)[:, -1] - sprite_centres(clips)[:, 0]  # (N, 2)
    right_way = torch.where(clips.arrow == 0, step[:, axis], -step[:, axis]) > 0
    assert right_way.float().mean() > 0.8


def test_the_background_does_not_betray_the_arrow(monkeypatch):
    """On a background that counts its own frames, both directions are as frequent in either arrow."""
    ramp = np.arange(200, dtype=np.uint8)[:, None, None, None] * np.ones((1, 48, 48, 3), np.uint8)
    monkeypatch.setattr("efficientlab.datasets.video.arrowset.load_backgrounds", lambda: [("ramp", ramp)])
    clips = arrowset("train", 2400)
    corner = clips.video[..., 0, 0].float().mean(2)  # (N, T), rarely covered by a sprite
    forwards = (corner[:, -1] > corner[:, 0]).float()
    for arrow in (0, 1):
        share = forwards[clips.arrow == arrow].mean().item()
        assert abs(share - 0.5) < 4 * 0.5 / 1200**0.5  # four standard errors of a fair coin


def test_deterministic_and_seeded():
    assert same(arrowset("train", 36, seed=3), arrowset("train", 36, seed=3))
    assert not torch.equal(arrowset("train", 36, seed=3).video, arrowset("train", 36, seed=4).video)
    assert not torch.equal(arrowset("val", 36).video, arrowset("test", 36).video)


def test_splits_share_neither_sprites_nor_background_frames():
    seen: set[bytes] = set()
    for split in SPLITS:
        images, labels = load_sprites(split)
        wanted = np.isin(np.array(FASHION_CLASSES)[labels], sum(_CLOTHES, ()))
        sprites = {image.tobytes() for image in images[wanted]}
        assert sprites
        assert not seen & sprites
        seen |= sprites
    for _, video in load_backgrounds():
        frames = [set(range(*_segment(len(video), split))) for split in SPLITS]
        assert all(frames)
        assert sum(map(len, frames)) == len(set().union(*frames))
    assert set(_SEGMENTS) == set(SPLITS)


def test_indexing_keeps_the_fields_together():
    clips = arrowset("test", 24)
    chosen = clips[clips.arrow == 1]
    assert len(chosen) == 12
    assert torch.equal(chosen.label, clips.label[1::2])
    assert same(clips.reversed().reversed(), clips)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("dev", 12), "train, val, test; got 'dev'"),
        (("test", 13), "even.*got 13"),
        (("train", 0), "positive.*got 0"),
        (("train", 12, 8), "size=8"),
        (("train", 12, 32, 1), "frames=1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    split, clips, *rest = arguments
    with pytest.raises(ValueError, match=message):
        arrowset(split, clips, **dict(zip(("size", "frames"), rest, strict=False)))
