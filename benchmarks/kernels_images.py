"""The benchmark's rows for the ops on images and clips, each beside the plain form that it replaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import torch
import torch.nn.functional as F
from kernels_row import Row, with_gradient
from torch import Tensor

from efficientlab.kernels import (
    Augmentation,
    BEVGrid,
    bev_index,
    bev_pool,
    diff_augment,
    draw_augmentation,
    shifted_pointwise_conv,
    temporal_shift,
)

# ----------------------------------------------------------------------------------------------- shift

RESNET50_STAGES = [(256, 56), (512, 28), (1024, 14), (2048, 7)]  # channels and size of a block's input


def zeros_and_slices(x: Tensor, n_frames: int, fold_div: int = 8) -> Tensor:
    """The usual implementation of the temporal shift."""
    clips = x.unflatten(0, (-1, n_frames))
    fold = x.shape[1] // fold_div
    y = torch.zeros_like(clips)
    y[:, :-1, :fold] = clips[:, 1:, :fold]
    y[:, 1:, fold : 2 * fold] = clips[:, :-1, fold : 2 * fold]
    y[:, :, 2 * fold :] = clips[:, :, 2 * fold :]
    return y.flatten(0, 1)


def shift_rows(device: str) -> Iterator[Row]:
    """The shift beside a copy of its input: both read x and write as much."""
    frames, dtype = (8, torch.float32) if device == "cpu" else (128, torch.float16)
    for (layout, memory_format), (channels, size) in product(FORMATS.items(), RESNET50_STAGES):
        x = torch.randn(frames, channels, size, size, device=device, dtype=dtype)
        x = x.contiguous(memory_format=memory_format)
        yield Row(
            "temporal_shift",
            f"{channels} × {size}², {frames} frames, {layout}",
            {
                "copy": x.clone,
                "zeros + slices": lambda x=x: zeros_and_slices(x, 8),
                "ours": lambda x=x: temporal_shift(x, 8),
            },
            baseline="copy",
            ours="ours",
            limit=1.1 if device == "cpu" else 1 / 0.85,
        )


def shifted_conv_rows(device: str) -> Iterator[Row]:
    """The fused shift beside a shift and the convolution, conv1 of a bottleneck block: C → C / 4.

    On one thread PyTorch multiplies fewer than 16 frames by BLAS; with more of either, it convolves by oneDNN.
    """
    yield from shifted_convolutions(device, with_gradients=False)


def shifted_conv_gradient_rows(device: str) -> Iterator[Row]:
    """The same, forward and backward."""
    yield from shifted_convolutions(device, with_gradients=True)


def shifted_convolutions(device: str, with_gradients: bool) -> Iterator[Row]:
    batches = (4, 8, 16, 32) if device == "cpu" else (128,)
    for (layout, memory_format), frames in product(FORMATS.items(), batches):
        for channels, size in RESNET50_STAGES:
            x, w = pointwise_operands(frames, channels, size, device)
            x, clip = x.contiguous(memory_format=memory_format), min(frames, 8)
            fns: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
                "temporal_shift, conv": lambda x, w, clip=clip: F.conv2d(temporal_shift(x, clip), w),
                "zeros + slices, conv": lambda x, w, clip=clip: F.conv2d(zeros_and_slices(x, clip), w),
                "conv alone": F.conv2d,
                "ours": lambda x, w, clip=clip: shifted_pointwise_conv(x, w, n_frames=clip),
            }
            if with_gradients:
                contestants = {name: with_gradient(fn, x, w) for name, fn in fns.items()}
            else:
                contestants = {name: lambda fn=fn, x=x, w=w: fn(x, w) for name, fn in fns.items()}
            yield Row(
                "shifted_pointwise_conv",
                f"{channels} × {size}², {frames} frames, {layout}" + ", with gradients" * with_gradients,
                contestants,
                baseline="temporal_shift, conv",
                ours="ours",
                limit=1.02,
                chosen=convolution_by(x, w),
            )


FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def pointwise_operands(frames: int, channels: int, size: int, device: str) -> tuple[Tensor, Tensor]:
    dtype = torch.float32 if device == "cpu" else torch.float16
    x = torch.randn(frames, channels, size, size, device=device, dtype=dtype)
    return x, torch.randn(channels // 4, channels, 1, 1, device=device, dtype=dtype) / channels**0.5


def convolution_by(x: Tensor, w: Tensor) -> str:
    """The library that F.conv2d(x, w) calls on this many threads; torch has no public name for the question."""
    none = (0, 0)
    chosen = torch._C._select_conv_backend(x, w, None, (1, 1), none, (1, 1), False, none, 1, None)
    return {"Mkldnn": "oneDNN", "Slow2d": "BLAS"}.get(chosen.name, chosen.name)


# --------------------------------------------------------------------------------------------- augment


def five_steps(x: Tensor, augmentation: Augmentation) -> Tensor:
    """DiffAugment step by step, each step vectorised over the batch."""
    color, translation, cutout = augmentation
    b, s, k = color[:, :, None, None, None].unbind(1)  # (N, 1, 1, 1)
    x = x + b
    gray = x.mean(1, keepdim=True)
    x = (x - gray) * s + gray
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * k + mean
    n, _, h, w = x.shape
    rows, columns = torch.arange(h, device=x.device)[None], torch.arange(w, device=x.device)[None]
    i = (rows + translation[:, :1] + 1).clamp(0, h + 1)[:, :, None]  # (N, H, 1), in the padded image
    j = (columns + translation[:, 1:] + 1).clamp(0, w + 1)[:, None, :]
    padded = F.pad(x, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    x = padded[torch.arange(n, device=x.device)[:, None, None], i, j].permute(0, 3, 1, 2)
    cut_rows = (rows >= cutout[:, :1]) & (rows < cutout[:, :1] + h // 2)
    cut_columns = (columns >= cutout[:, 1:]) & (columns < cutout[:, 1:] + w // 2)
    return x * ~(cut_rows[:, None, :, None] & cut_columns[:, None, None, :])


def augment_rows(device: str) -> Iterator[Row]:
    """A batch of training images, forward and with the gradient that a generator needs."""
    for n, size in [(16, 32), (16, 256)] if device == "cpu" else [(256, 32), (64, 256)]:
        x = torch.randn(n, 3, size, size, device=device)
        augmentation = Augmentation(*(t.to(device) for t in draw_augmentation(n, (size, size))))
        plain, ours = (lambda x, f=f, a=augmentation: f(x, a) for f in (five_steps, diff_augment))
        torch.testing.assert_close(plain(x), ours(x), rtol=0, atol=1e-4)
        case = f"{n} × 3 × {size}²"
        forward = {"five steps": lambda x=x, f=plain: f(x), "ours": lambda x=x, f=ours: f(x)}
        small = 0.6 if size == 32 else None  # what each call costs, however few its numbers
        yield Row("diff_augment", case, forward, baseline="five steps", ours="ours", limit=1.0, stretch=small)
        both = {"five steps": with_gradient(plain, x), "ours": with_gradient(ours, x)}
        yield Row(
            "diff_augment",
            case + ", with gradient",
            both,
            baseline="five steps",
            ours="ours",
            limit=1.0,
            stretch=small,
        )


# -------------------------------------------------------------------------------------------- bev pool


def camera_rig(cameras: int, depths: int, height: int, width: int) -> Tensor:
    """Points (1, M, D, H, W, 3) of cameras that look around from one place, 1 to 60 m far."""
    heading = torch.arange(cameras) * (2 * torch.pi / cameras)
    azimuth = heading[:, None, None, None] + torch.linspace(-0.6, 0.6, width)
    distance = torch.linspace(1, 60, depths)[:, None, None]
    elevation = torch.linspace(-0.3, 0.3, height)[:, None]
    x, y = (distance * f(azimuth) for f in (torch.cos, torch.sin))
    points = torch.broadcast_tensors(x, y, distance * elevation)
    return torch.stack(points, -1)[None]


def lift_and_cumsum(depth: Tensor, features: Tensor, order: Tensor, cell: Tensor, cells: int) -> Tensor:
    """The plain form: lift all points, then a cumulative sum over them by cell and its differences.

    Its sort is prepared, as ours is: `order` holds the points inside the grid by ascending `cell`.
    """
    lifted = depth[..., None] * features.permute(0, 1, 3, 4, 2)[:, :, None]  # (N, M, D, H, W, C)
    total = lifted.flatten(0, 4)[order].cumsum(0)  # (E, C)
    last = torch.ones_like(cell, dtype=torch.bool)
    last[:-1] = cell[1:] != cell[:-1]
    total, cell = total[last], cell[last]
    total = torch.cat([total[:1], total[1:] - total[:-1]])
    return total.new_zeros(cells, total.shape[1]).index_put((cell,), total)  # (cells, C)


def bev_rows(device: str) -> Iterator[Row]:
    """The camera branch of BEVFusion, 80 channels: 16 × 44 pixels a camera, and 32 × 88 on a GPU."""
    size, limit = ((16, 44), 1 / 20) if device == "cpu" else ((32, 88), 1 / 5)
    points = camera_rig(6, 118, *size)
    yield bev_row(points, device, with_gradients=False, limit=limit, stretch=1 / 50)
    yield bev_row(points, device, with_gradients=True)


def bev_row(points: Tensor, device: str, with_gradients: bool, **limits: float) -> Row:
    index = bev_index(points.to(device), BEVGrid((-54.0, 54.0, 0.3), (-54.0, 54.0, 0.3), (-10.0, 10.0)))
    shape = (*index.shape[:2], *index.shape[:1:-1])  # (N, M, W, H, D), the order of the index
    cell = index.cell.view(shape).permute(0, 1, 4, 3, 2).flatten()
    order = cell.argsort(stable=True)[(cell < 0).sum() :]
    cell, cells = cell[order].long(), index.cells[0] * index.cells[1]
    depth = torch.rand(index.shape, device=device).softmax(2)
    features = torch.randn(*index.shape[:2], 80, *index.shape[3:], device=device)

    def plain(depth: Tensor, features: Tensor) -> Tensor:
        pooled = lift_and_cumsum(depth, features, order, cell, cells)
        return pooled.unflatten(0, (1, *index.cells)).movedim(3, 1)

    def ours(depth: Tensor, features: Tensor) -> Tensor:
        return bev_pool(depth, features, index)

    loss = {"rtol": 0, "atol": 0.02}  # of digits, in the long sum of the plain form
    torch.testing.assert_close(ours(depth, features), plain(depth, features), **loss)
    case = f"{points.numel() / 3e6:.2f} M points × 80 channels" + ", with gradients" * with_gradients
    contestants = {"lift + cumsum": plain, "ours": ours}
    if with_gradients:
        fns = {name: with_gradient(fn, depth, features) for name, fn in contestants.items()}
    else:
        fns = {name: lambda fn=fn: fn(depth, features) for name, fn in contestants.items()}
    return Row("bev_pool", case, fns, "lift + cumsum", "ours", rounds=10, **limits)


IMAGE_ROWS: list[Callable[[str], Iterator[Row]]] = [
    shift_rows,
    shifted_conv_rows,
    shifted_conv_gradient_rows,
    augment_rows,
    bev_rows,
]
