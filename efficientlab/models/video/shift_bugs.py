"""Temporal shifts with the mistakes that people make: run trained weights with them and see what happens.

Each has the signature of the right one, (N·T, C, H, W) and T to (N·T, C, H, W), bidirectional with
fold = C // 8.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

FOLD_DIV = 8


def exchanged_folds(x: Tensor, n_frames: int) -> Tensor:
    """Past and future take each other's channels: time runs backwards."""
    return _displaced(x, n_frames, later=(1, -1))


def past_only_buffer(x: Tensor, n_frames: int) -> Tensor:
    """A live buffer under bidirectional weights: the future's channels take the past, the past's the present."""
    return _displaced(x, n_frames, later=(1, 0))


def circular(x: Tensor, n_frames: int) -> Tensor:
    """The clip is a loop: its first frame is the last one's future."""
    clips = x.unflatten(0, (-1, n_frames))  # (N, T, C, H, W)
    fold = x.shape[1] // FOLD_DIV
    parts = [
        clips[:, :, :fold].roll(-1, 1),
        clips[:, :, fold : 2 * fold].roll(1, 1),
        clips[:, :, 2 * fold :],
    ]
    return torch.cat(parts, 2).flatten(0, 1)


def leak_across_clips(x: Tensor, n_frames: int) -> Tensor:
    """The whole batch is one clip: a clip's last frame sees the next clip's first."""
    return _displaced(x, len(x), later=(-1, 1))


def half_a_fold(x: Tensor, n_frames: int) -> Tensor:
    """Half as many channels move as the weights were trained for."""
    return _displaced(x, n_frames, later=(-1, 1), fold_div=2 * FOLD_DIV)


def no_shift(x: Tensor, n_frames: int) -> Tensor:
    """A fold of zero channels: every frame alone. Nothing warns of it."""
    return x


def _displaced(x: Tensor, n_frames: int, later: tuple[int, int], fold_div: int = FOLD_DIV) -> Tensor:
    """Two folds of channels, each so many frames later, zeros where there is no frame."""
    fold = x.shape[1] // fold_div
    *moved, rest = x.unflatten(0, (-1, n_frames)).split([fold, fold, x.shape[1] - 2 * fold], 2)
    # a negative pad crops: with step 1 each clip gets a frame of zeros in front and loses its last one
    parts = [F.pad(part, (0, 0, 0, 0, 0, 0, step, -step)) for part, step in zip(moved, later, strict=True)]
    return torch.cat([*parts, rest], 2).flatten(0, 1)


SHIFT_BUGS = {
    "folds exchanged": exchanged_folds,
    "past-only buffer": past_only_buffer,
    "clip as a loop": circular,
    "leak across clips": leak_across_clips,
    "half a fold": half_a_fold,
    "fold of zero": no_shift,
}
