"""ArrowSet: short clips whose label is visible only in the order of their frames.

A sprite (real clothing, Fashion-MNIST) acts over a real video. There are six kinds of action and each can
run along two arrows of time: 12 classes. The *scene* is drawn first, without knowing the arrow, and rendered
along arrow 0; a clip of arrow 1 is a scene played backwards. So both arrows have the same distribution of
frames, and a model that averages per-frame scores cannot tell them apart. The background would betray the
arrow (water falls, people walk forwards), so each scene plays its background forwards or backwards with equal
chance.

The idea of order-only labels follows Something-Something (Goyal et al., ICCV 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from efficientlab.datasets.fashion import FASHION_CLASSES, load_sprites
from efficientlab.datasets.splits import SPLITS, check_split
from efficientlab.datasets.video.backgrounds import load_backgrounds

KINDS = ("move sideways", "move upright", "resize", "rotate", "show", "order")
CLASS_NAMES = (
    "move right", "move left",
    "move down", "move up",
    "grow", "shrink",
    "rotate clockwise", "rotate counter-clockwise",
    "appear", "vanish",
    "shoe then bag", "bag then shoe",
)  # fmt: skip
NOUNS = ("shirt", "trousers", "shoe", "bag")

_CLOTHES = (("T-shirt", "pullover", "coat", "shirt"), ("trouser",), ("sneaker", "ankle boot"), ("bag",))
_SHOE, _BAG = NOUNS.index("shoe"), NOUNS.index("bag")
_SIDEWAYS, _UPRIGHT, _RESIZE, _ROTATE, _SHOW, _ORDER = range(len(KINDS))
_SEGMENTS = {"train": (0.0, 0.6), "val": (0.6, 0.75), "test": (0.75, 1.0)}  # shares of each video's length


@dataclass(frozen=True)
class Clips:
    """A batch of labelled clips; indexing with a slice or an index tensor gives another one."""

    video: Tensor  # uint8 (N, T, 3, H, W)
    kind: Tensor  # int64 (N,), index into KINDS
    arrow: Tensor  # int64 (N,), 0 or 1
    noun: Tensor  # int64 (N,), index into NOUNS: the thing that acts ("order": the shoe, in both arrows)

    @property
    def label(self) -> Tensor:
        """int64 (N,), index into CLASS_NAMES: 2·kind + arrow."""
        return 2 * self.kind + self.arrow

    def __len__(self) -> int:
        return len(self.video)

    def __getitem__(self, index: Any) -> Clips:
        return Clips(self.video[index], self.kind[index], self.arrow[index], self.noun[index])

    def to(self, device: torch.device | str) -> Clips:
        return Clips(*(field.to(device) for field in (self.video, self.kind, self.arrow, self.noun)))

    def reversed(self) -> Clips:
        """The same clips played backwards, so with the other arrow."""
        return Clips(self.video.flip(1), self.kind, 1 - self.arrow, self.noun)


def arrowset(split: str, clips: int, *, size: int = 32, frames: int = 8, seed: int = 0) -> Clips:
    """Renders ``clips`` labelled clips of ``frames`` frames of ``size`` × ``size`` pixels.

    In "train" every clip is a scene of its own. In "val" and "test" clips 2i and 2i + 1 are one scene, played
    along arrow 0 and arrow 1. Classes are balanced. Sprites and background frames of the three splits are
    disjoint. The result depends on the arguments alone.

    Raises:
        ValueError: unknown split; an odd number of clips where they come in pairs; a clip that is too small.
    """
    check_split(split)
    paired = split != "train"
    if clips < 1 or (paired and clips % 2):
        raise ValueError(
            f"{split!r} needs {'an even, ' if paired else 'a '}positive number of clips; got {clips}."
        )
    if size < 16 or frames < 2:
        raise ValueError(f"A clip needs size ≥ 16 and frames ≥ 2; got size={size}, frames={frames}.")

    rng = np.random.default_rng([seed, SPLITS.index(split)])
    scenes = clips // 2 if paired else clips
    label = rng.permutation(np.arange(scenes) % (len(KINDS) if paired else len(CLASS_NAMES)))
    kind = label if paired else label // 2
    noun = np.where(kind == _ORDER, _SHOE, rng.integers(len(NOUNS), size=scenes))

    video = _backgrounds(split, scenes, size, frames, rng)  # (N, T, 3, H, W)
    sprites = _sprites(split, kind, noun, rng)  # (N, 2, 28, 28)
    poses = _poses(kind, frames, rng)  # (N, T, 6)
    colour = torch.from_numpy(rng.uniform(0.4, 1.0, (scenes, 1, 3, 1, 1)).astype(np.float32))
    colour *= 255 / colour.amax(2, keepdim=True)
    for i in range(0, scenes, 128):  # in blocks that stay in the cache
        block = slice(i, i + 128)
        _paint(video[block], sprites[block], poses[block], colour[block])

    if paired:
        kind, noun = kind.repeat(2), noun.repeat(2)
        arrow = np.arange(clips) % 2
        video = torch.stack([video, video.flip(1)], 1).flatten(0, 1)
    else:
        arrow = label % 2
        backwards = torch.from_numpy(np.flatnonzero(arrow))
        video[backwards] = video[backwards].flip(1)
    return Clips(video, torch.from_numpy(kind), torch.from_numpy(arrow), torch.from_numpy(noun))


def _segment(length: int, split: str) -> tuple[int, int]:
    """The first frame and the end of a split's share of a video with ``length`` frames."""
    start, end = _SEGMENTS[split]
    return round(start * length), round(end * length)


def _backgrounds(split: str, scenes: int, size: int, frames: int, rng: np.random.Generator) -> Tensor:
    """A random crop of a random stretch of video for each scene: uint8 (N, T, 3, H, W)."""
    banks = []
    for _, pixels in load_backgrounds():
        start, end = _segment(len(pixels), split)
        banks.append(_dimmed(pixels[start:end], size))  # (F, 3, h, w)

    which = rng.integers(len(banks), size=scenes)
    place = rng.random((3, scenes))  # in [0, 1): phase, top, left
    video = torch.empty(scenes, frames, 3, size, size, dtype=torch.uint8)
    for i, bank in enumerate(banks):
        mine = np.flatnonzero(which == i)
        # Each video swings to and fro, from a phase that is uniform over the cycle. So both directions are
        # equally likely, and the background does not betray the arrow.
        last = len(bank) - 1
        room = np.array([2 * last, bank.shape[2] - size + 1, bank.shape[3] - size + 1])
        phase, top, left = (place[:, mine] * room[:, None]).astype(np.int64)
        frame = np.abs((phase[:, None] + np.arange(frames)) % (2 * last) - last)  # (N, T)
        crops = bank.unfold(2, size, 1).unfold(3, size, 1)  # (F, 3, y, x, H, W), every crop, as a view
        crops = crops.permute(0, 2, 3, 1, 4, 5)  # (F, y, x, 3, H, W)
        index = (frame, top[:, None], left[:, None])
        video[torch.from_numpy(mine)] = crops[tuple(torch.from_numpy(v) for v in index)]
    return video


def _dimmed(pixels: np.ndarray, size: int) -> Tensor:
    """Scales frames (F, h, w, 3) so that a crop covers two thirds of the short side, and dims them."""
    h, w = pixels.shape[1:3]
    scale = 1.5 * size / min(h, w)
    video = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()  # (F, 3, h, w)
    video = F.interpolate(video, size=(round(h * scale), round(w * scale)), mode="bilinear", antialias=True)
    return (16 + 0.35 * video).byte()


def _sprites(split: str, kind: np.ndarray, noun: np.ndarray, rng: np.random.Generator) -> Tensor:
    """The sprite on stage at the start and at the end of each scene: float (N, 2, 28, 28) in [0, 1]."""
    images, labels = load_sprites(split)
    names = np.array(FASHION_CLASSES)[labels]
    pools = [np.flatnonzero(np.isin(names, clothes)) for clothes in _CLOTHES]
    draw = rng.random((2, len(kind)))
    first = np.array([pools[n][int(u * len(pools[n]))] for n, u in zip(noun, draw[0], strict=True)])
    bags = pools[_BAG][(draw[1] * len(pools[_BAG])).astype(np.int64)]
    second = np.where(kind == _ORDER, bags, first)
    return torch.from_numpy(images[np.stack([first, second], 1)]).float() / 255


def _poses(kind: np.ndarray, frames: int, rng: np.random.Generator) -> Tensor:
    """What the sprite does along arrow 0: float (N, T, 6) of x, y, side, angle, opacity, share of the second.

    x, y are the centre and side the sprite's side, as fractions of the frame; the angle is in radians,
    clockwise. Every kind draws every quantity; the quantity that a kind is about then varies with time over
    values that the other kinds take too, so that a single frame says little about the kind.
    """
    n = len(kind)

    def draw(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, (n, 1))

    def during(*kinds: int) -> np.ndarray:
        return np.isin(kind, kinds)[:, None]

    t = np.linspace(-0.5, 0.5, frames)  # (T,)
    path = draw(0.4, 0.6) * t  # (N, T)
    moves = during(_SIDEWAYS, _UPRIGHT)
    x = np.where(moves, draw(0.45, 0.55), draw(0.3, 0.7)) + np.where(during(_SIDEWAYS), path, 0)
    y = np.where(moves, draw(0.45, 0.55), draw(0.3, 0.7)) + np.where(during(_UPRIGHT), path, 0)
    side = draw(0.45, 0.75) + np.where(during(_RESIZE), draw(0.4, 0.55) * t, 0)
    angle = draw(-0.25, 0.25) * np.pi + np.where(during(_ROTATE), draw(0.8, 1.2) * np.pi * t, 0)
    ramp = np.clip(0.5 + (t - draw(-0.2, 0.2)) * draw(1.5, 5.0), 0, 1)  # 0 before an instant, 1 after it
    opacity = draw(0.7, 1.0) * np.where(during(_SHOW), ramp, 1)
    second = np.where(during(_ORDER), ramp, 0)
    pose = np.stack(np.broadcast_arrays(x, y, side, angle, opacity, second), -1)
    return torch.from_numpy(pose.astype(np.float32))


def _paint(video: Tensor, sprites: Tensor, poses: Tensor, colour: Tensor) -> None:
    """Draws the sprites (N, 2, 28, 28), in the colours (N, 1, 3, 1, 1), onto the background, in place."""
    n, t, _, h, w = video.shape
    x, y, side, angle, opacity, second = poses.flatten(0, 1).unbind(-1)  # (NT,) each
    x, y = 2 * x - 1, 2 * y - 1
    cos, sin = torch.cos(angle) / side, torch.sin(angle) / side
    inverse = torch.stack([cos, sin, -cos * x - sin * y, -sin, cos, sin * x - cos * y], -1).view(-1, 2, 3)
    grid = F.affine_grid(inverse, [n * t, 1, h, w], align_corners=False)  # (NT, H, W, 2)
    shown = torch.lerp(sprites[:, :1], sprites[:, 1:], second.view(n, t, 1, 1))  # (N, T, 28, 28)
    grey = F.grid_sample(shown.flatten(0, 1)[:, None], grid, align_corners=False)  # (NT, 1, H, W)
    cover = (4 * grey).clamp_(max=1) * opacity.view(-1, 1, 1, 1)
    paint = colour * (0.3 + 0.7 * grey.view(n, t, 1, h, w))  # (N, T, 3, H, W)
    video.copy_(torch.lerp(video.float(), paint, cover.view(n, t, 1, h, w)))
