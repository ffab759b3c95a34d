"""Every op of efficientlab.kernels beside what it replaces, as ratios of interleaved times.

    python benchmarks/kernels.py [--device cpu|cuda] [--json PATH] [--only GROUP …] [--threads N] [--rounds N]

A ratio is time over the baseline's time in the same round, with a 95 % bootstrap interval; milliseconds are
for orientation only. An op adds its rows with a function in the lists of kernels_images and kernels_points.
A JSON file keeps the rows of groups that were not run, or on another number of threads.
"""

from __future__ import annotations

import argparse
import json
import platform
from datetime import date
from pathlib import Path

import torch
from kernels_images import IMAGE_ROWS
from kernels_points import POINT_ROWS
from kernels_row import Row

from efficientlab.counters import compare

GROUPS = {rows.__name__.removesuffix("_rows"): rows for rows in IMAGE_ROWS + POINT_ROWS}


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
        "torch": torch.__version__,
        "triton": triton_version,
        "python": platform.python_version(),
        "date": date.today().isoformat(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--json", type=Path, help="where to write the result")
    parser.add_argument(
        "--only", nargs="+", default=[], choices=GROUPS, help="what to run; default: everything"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("no CUDA device is available here")
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    records = []
    for group in arguments.only or GROUPS:
        for row in GROUPS[group](arguments.device):
            where = {"group": group, "threads": arguments.threads}
            records.append(where | run(row, arguments.rounds))
            show(records[-1])
    if arguments.json:
        result = {
            "environment": environment(arguments.device),
            "rows": others(arguments.json, records) + records,
        }
        partial = arguments.json.with_suffix(".partial")
        partial.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        partial.replace(arguments.json)


def others(path: Path, records: list[dict]) -> list[dict]:
    """Rows in the file of groups that were not run now, or on another number of threads."""
    if not path.exists():
        return []
    new = {(record["group"], record["threads"]) for record in records}
    rows = json.loads(path.read_text())["rows"]
    return [row for row in rows if (row["group"], row["threads"]) not in new]


if __name__ == "__main__":
    main()
