"""The matrix products that a shifted 1 × 1 convolution is on a CPU, as views of its operands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from efficientlab.kernels.backend import memory_format
from efficientlab.kernels.shift import shift_groups, shift_window


class Layout(NamedTuple):
    """How images (N · T, C, H, W) are seen as matrices of channels × columns, (batch, C, columns).

    Either every frame is a matrix, which contiguous images are, or all frames lie side by side in one matrix,
    which channels_last images are. Contiguous images of few pixels are copied into that second form: a
    product with many narrow matrices costs more than the copy.
    """

    images: tuple[int, int, int]  # N · T, H, W
    format: torch.memory_format
    one_matrix: bool

    @classmethod
    def of(cls, x: Tensor) -> Layout:
        frames, _, h, w = x.shape
        layout = memory_format(x)
        return cls((frames, h, w), layout, layout is torch.channels_last or h * w < _NARROW)

    def matrices(self, x: Tensor) -> Tensor:
        x = x.contiguous(memory_format=self.format)
        return x.transpose(0, 1).flatten(1)[None] if self.one_matrix else x.flatten(2)

    def empty(self, like: Tensor, channels: int) -> Tensor:
        frames, h, w = self.images
        if not self.one_matrix:
            return like.new_empty(frames, channels, h * w)
        if self.format is torch.channels_last:
            return like.new_empty(1, frames * h * w, channels).mT
        return like.new_empty(1, channels, frames * h * w)

    def restore(self, m: Tensor) -> Tensor:
        if not self.one_matrix:
            return m.unflatten(2, self.images[1:])
        return m[0].unflatten(1, self.images).transpose(0, 1).contiguous(memory_format=self.format)

    def frames(self, m: Tensor, start: int, stop: int) -> Tensor:
        """Matrices of frames [start, stop)."""
        pixels = self.images[1] * self.images[2]
        return m[:, :, start * pixels : stop * pixels] if self.one_matrix else m[start:stop]


_NARROW = 128  # columns


def products(
    layout: Layout, y: Tensor, w: Tensor, x: Tensor, steps: Sequence[int], join: bool = True
) -> Iterator[tuple[bool, Tensor, Tensor, Tensor]]:
    """The op as y += w @ x over parts of y, w and x: (fresh, y part, w part, x part).

    The parts are views, and any operand may be the one that is computed; those of y and x are matrices, or
    batches of matrices. A fresh part is the first of its frames of y; the others add to them. The parts of
    one frame, or of one clip of small frames, follow one another, while y is still in the cache.

    Two products are cheaper than three: in contiguous images the channels that stay lie next to the first
    group of the following frame, so the two form one matrix. With `join` they share a product, and the w
    part is then a copy, if that is small beside a frame.
    """
    if layout.one_matrix or y.shape[1] * y.shape[2] < _LARGE:
        return _products_by_clip(layout, y, w, x, steps, join)
    return _products_by_frame(y, w, x, steps, join)


_LARGE = 1 << 16  # numbers in a frame of y, below which one batched product costs less than many calls


def _products_by_clip(
    layout: Layout, y: Tensor, w: Tensor, x: Tensor, steps: Sequence[int], join: bool
) -> Iterator[tuple[bool, Tensor, Tensor, Tensor]]:
    n_frames, fold, first, second = steps
    groups = list(shift_groups(fold, first, second))
    moved, channels = groups[-1][0].stop, w.shape[1]
    join = join and first == 1 and not layout.one_matrix and channels < x.shape[2]
    if join:
        groups = groups[1:]
        joined = torch.cat([w[:, moved:], w[:, :fold]], 1)  # (D, C − fold)
    for start in range(0, layout.images[0], n_frames):
        stop = start + n_frames
        if join:
            rows = x[start:stop].flatten(0, 1)[moved : moved + (n_frames - 1) * channels]
            window = rows.unflatten(0, (n_frames - 1, channels))[:, : channels - fold]  # (T − 1, C − fold, P)
            yield True, y[start : stop - 1], joined, window
            yield True, y[stop - 1 : stop], w[:, moved:], x[stop - 1 : stop, moved:]
        else:
            kept = layout.frames(x, start, stop)[:, moved:]
            yield True, layout.frames(y, start, stop), w[:, moved:], kept
        for group, step in groups:
            to, of, _ = shift_window(n_frames, step)
            yield (
                False,
                layout.frames(y, start + to.start, start + to.stop),
                w[:, group],
                layout.frames(x, start + of.start, start + of.stop)[:, group],
            )


def _products_by_frame(
    y: Tensor, w: Tensor, x: Tensor, steps: Sequence[int], join: bool
) -> Iterator[tuple[bool, Tensor, Tensor, Tensor]]:
    """For contiguous images. The small product comes first: writing costs it less than adding."""
    n_frames, fold, first, second = steps
    channels = w.shape[1]
    rows = x.flatten(0, 1)  # (N · T · C, P)
    groups = [(group.start, w[:, group], step) for group, step in shift_groups(fold, first, second)]
    moved = groups[-1][0] + fold
    kept = w[:, moved:]
    join = join and first == 1 and channels < x.shape[2]
    if join:
        groups = groups[1:]
        joined = torch.cat([kept, w[:, :fold]], 1)  # (D, C − fold)
    for frame in range(len(x)):
        position, row, fresh = frame % n_frames, frame * channels, True
        for start, part, step in groups:
            if 0 <= position + step < n_frames:
                source = row + step * channels + start
                yield fresh, y[frame], part, rows[source : source + fold]
                fresh = False
        if join and position < n_frames - 1:
            yield fresh, y[frame], joined, rows[row + moved : row + channels + fold]
        else:
            yield fresh, y[frame], kept, rows[row + moved : row + channels]


def add_product(to: Tensor, a: Tensor, b: Tensor, beta: int) -> None:
    """to = beta · to + a @ b in place, for matrices or batches of them; `a` is one matrix."""
    if b.ndim == 2:
        to.addmm_(a, b, beta=beta)
    else:
        to.baddbmm_(a.expand(len(b), -1, -1), b, beta=beta)
