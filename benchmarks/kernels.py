"""Every op of efficientlab.kernels beside what it replaces, as ratios of interleaved times.

    python benchmarks/kernels.py [--device cpu|cuda] [--json PATH] [--only OP …] [--threads N] [--rounds N]

An op adds its rows with a function in ROWS. A ratio is time over the baseline's time in the same round, with
a 95 % bootstrap interval; milliseconds are for orientation only.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from efficientlab.counters import compare
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


@dataclass(frozen=True)
class Row:
    """Contestants for one job; `limit` bounds the ratio of `ours` to `baseline`."""

    op: str
    case: str
    contestants: dict[str, Callable[[], object]]
    baseline: str
    ours: str
    limit: float | None = None
    stretch: float | None = None
    rounds: int | None = None  # where a contestant is too slow for the usual number


def with_gradient(fn: Callable[..., Tensor], *inputs: Tensor) -> Callable[[], object]:
    """A forward and a backward pass to all inputs."""
    inputs = tuple(x.detach().clone().requires_grad_() for x in inputs)
    with torch.no_grad():
        grad = torch.randn_like(fn(*inputs))

    def step() -> object:
        with torch.enable_grad():
            return torch.autograd.grad(fn(*inputs), inputs, grad)

    return step


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
    for channels, size in RESNET50_STAGES:
        x = torch.randn(frames, channels, size, size, device=device, dtype=dtype)
        yield Row(
            "temporal_shift",
            f"{channels} × {size}², {frames} frames",
            {
                "copy": x.clone,
                "zeros + slices": lambda x=x: zeros_and_slices(x, 8),
                "ours": lambda x=x: temporal_shift(x, 8),
            },
            baseline="copy",
            ours="ours",
            limit=None if device == "cpu" else 1 / 0.85,
        )


def shifted_conv_rows(device: str) -> Iterator[Row]:
    """The fused shift beside the convolution alone, conv1 of a bottleneck block: C → C / 4."""
    dtype = torch.float32 if device == "cpu" else torch.float16
    for layout, memory_format in {
        "contiguous": torch.contiguous_format,
        "channels_last": torch.channels_last,
    }.items():
        for frames in (8, 16) if device == "cpu" else (128,):
            for channels, size in RESNET50_STAGES:
                x = torch.randn(frames, channels, size, size, device=device, dtype=dtype)
                x = x.contiguous(memory_format=memory_format)
                w = torch.randn(channels // 4, channels, 1, 1, device=device, dtype=dtype) / channels**0.5
                yield Row(
                    "shifted_pointwise_conv",
                    f"{channels} × {size}², {frames} frames, {layout}",
                    {
                        "conv alone": lambda x=x, w=w: F.conv2d(x, w),
                        "matmul alone": lambda x=x, w=w: pointwise_by_matmul(x, w),
                        "zeros + slices, conv": lambda x=x, w=w: F.conv2d(zeros_and_slices(x, 8), w),
                        "ours": lambda x=x, w=w: shifted_pointwise_conv(x, w, n_frames=8),
                    },
                    baseline="conv alone",
                    ours="ours",
                    limit=1.05,
                    stretch=1.03,
                )
                if frames == 8 and layout == "contiguous":
                    yield Row(
                        "shifted_pointwise_conv",
                        f"{channels} × {size}², {frames} frames, {layout}, with gradients",
                        {
                            "conv alone": with_gradient(F.conv2d, x, w),
                            "zeros + slices, conv": with_gradient(
                                lambda x, w: F.conv2d(zeros_and_slices(x, 8), w), x, w
                            ),
                            "ours": with_gradient(
                                lambda x, w: shifted_pointwise_conv(x, w, n_frames=8), x, w
                            ),
                        },
                        baseline="conv alone",
                        ours="ours",
                    )


def pointwise_by_matmul(x: Tensor, w: Tensor) -> Tensor:
    """A 1 × 1 convolution as the plain matrix product: a stricter baseline than F.conv2d on some shapes."""
    if x.is_contiguous():
        return torch.matmul(w.flatten(1), x.flatten(2))
    return F.linear(x.permute(0, 2, 3, 1), w.flatten(1))


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
        yield Row("diff_augment", case, forward, baseline="five steps", ours="ours", limit=1.0)
        both = {"five steps": with_gradient(plain, x), "ours": with_gradient(ours, x)}
        yield Row(
            "diff_augment", case + ", with gradient", both, baseline="five steps", ours="ours", limit=1.0
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
    yield bev_row(points, device, with_gradients=False, limit=limit, stretch=1 / 40)
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


ROWS: list[Callable[[str], Iterator[Row]]] = [shift_rows, shifted_conv_rows, augment_rows, bev_rows]


# ------------------------------------------------------------------------------------------------- run


def run(row: Row, rounds: int) -> dict[str, object]:
    with torch.no_grad():
        result = compare(row.contestants, baseline=row.baseline, rounds=row.rounds or rounds)
    ratio = result.ratio[row.ours]
    return {
        "op": row.op,
        "case": row.case,
        "baseline": row.baseline,
        "milliseconds": {name: 1e3 * t.median for name, t in result.latency.items()},
        "ratio": {name: [r.value, r.low, r.high] for name, r in result.ratio.items()},
        "limit": row.limit,
        "stretch": row.stretch,
        "met": None if row.limit is None else ratio.value <= row.limit,
    }


def show(record: dict) -> None:
    verdict = {
        None: "",
        True: f"  ≤ {record['limit'] or 0:.2f} met",
        False: f"  ≤ {record['limit'] or 0:.2f} MISSED",
    }
    print(f"\n{record['op']}: {record['case']}")
    for name, (value, low, high) in record["ratio"].items():
        note = verdict[record["met"]] if name == "ours" else ""
        print(f"  {name:24}{record['milliseconds'][name]:9.3f} ms {value:8.3f} [{low:.3f}, {high:.3f}]{note}")


def environment(device: str) -> dict[str, object]:
    name = torch.cuda.get_device_name() if device == "cuda" else platform.processor() or platform.machine()
    try:
        import triton

        triton_version = triton.__version__
    except ImportError:
        triton_version = None
    return {
        "device": name,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "triton": triton_version,
        "python": platform.python_version(),
        "date": date.today().isoformat(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--json", type=Path, help="where to write the result")
    parser.add_argument("--only", nargs="+", default=[], help="ops to run, by name")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("no CUDA device is available here")
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    records = []
    from kernels_points import POINT_ROWS  # which imports Row from here

    for rows in ROWS + POINT_ROWS:
        for row in rows(arguments.device):
            if not arguments.only or row.op in arguments.only:
                records.append(run(row, arguments.rounds))
                show(records[-1])
    if arguments.json:
        result = {"environment": environment(arguments.device), "rows": records}
        partial = arguments.json.with_suffix(".partial")
        partial.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        partial.replace(arguments.json)


if __name__ == "__main__":
    main()
