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
from efficientlab.kernels import shifted_pointwise_conv, temporal_shift


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


def pointwise_by_matmul(x: Tensor, w: Tensor) -> Tensor:
    """A 1 × 1 convolution as the plain matrix product: a stricter baseline than F.conv2d on some shapes."""
    if x.is_contiguous():
        return torch.matmul(w.flatten(1), x.flatten(2))
    return F.linear(x.permute(0, 2, 3, 1), w.flatten(1))


ROWS: list[Callable[[str], Iterator[Row]]] = [shift_rows, shifted_conv_rows]


# ------------------------------------------------------------------------------------------------- run


def run(row: Row, rounds: int) -> dict[str, object]:
    with torch.no_grad():
        result = compare(row.contestants, baseline=row.baseline, rounds=rounds)
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
    for rows in ROWS:
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
