"""Every op of efficientlab.kernels beside what it replaces, as ratios of interleaved times.

    python benchmarks/kernels.py [--device cpu|cuda] [--json PATH] [--only GROUP …] [--threads N] [--rounds N]

A ratio is time over the baseline's time in the same round, with a 95 % bootstrap interval; milliseconds are
for orientation only. A table at the end sets the ratios beside what was asked of them. An op adds its rows
with a function in the lists of kernels_images and kernels_points. A JSON file keeps the rows of groups that
were not run, or on another number of threads.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import torch
from kernels_images import IMAGE_ROWS
from kernels_memory import memory_records
from kernels_points import POINT_ROWS
from kernels_row import Row

from efficientlab.counters import compare
from efficientlab.files import write_text

GROUPS = {rows.__name__.removesuffix("_rows"): rows for rows in IMAGE_ROWS + POINT_ROWS}

MEMORY = "memory"  # measured in processes of its own, on a CPU


def measure(group: str, device: str, rounds: int) -> Iterator[dict[str, Any]]:
    """A record for each row of the group."""
    if group != MEMORY:
        yield from (run(row, rounds) for row in GROUPS[group](device))
    elif device == "cpu":
        yield from memory_records()


def run(row: Row, rounds: int) -> dict[str, Any]:
    with torch.no_grad():
        result = compare(row.contestants, baseline=row.baseline, rounds=row.rounds or rounds)
    return {
        "op": row.op,
        "case": row.case,
        "baseline": row.baseline,
        "milliseconds": {name: 1e3 * t.median for name, t in result.latency.items()},
        "ratio": {name: [r.value, r.low, r.high] for name, r in result.ratio.items()},
        "limit": row.limit,
        "stretch": row.stretch,
    }


def show(record: dict[str, Any]) -> None:
    unit, figures = ("MB", record["megabytes"]) if "megabytes" in record else ("ms", record["milliseconds"])
    print(f"\n{record['op']}: {record['case']}")
    for name, figure in figures.items():
        print(f"  {name:24}{figure:9.3f} {unit}  {interval(record['ratio'][name])}")


def interval(ratio: list[float]) -> str:
    """A ratio and its 95 % interval; peaks of memory are read once and have none."""
    value, *bounds = ratio
    return f"{value:6.3f}" + (" [{:.3f}, {:.3f}]".format(*bounds) if bounds else "")


def table(records: list[dict[str, Any]]) -> None:
    """What was asked of our ops, and what they reach."""
    asked = [record for record in records if record["limit"] is not None]
    width = max((len(f"{record['op']}, {record['case']}") for record in asked), default=0)
    print(f"\n{'':{width}}  {'beside':24} required stretch  ours")
    for record in asked:
        ours, limit, stretch = record["ratio"]["ours"], record["limit"], record["stretch"]
        verdict = "stretch" if stretch and ours[0] <= stretch else "met" if ours[0] <= limit else "MISSED"
        print(
            f"{record['op'] + ', ' + record['case']:{width}}  {record['baseline']:24} {limit:8.3f} "
            f"{f'{stretch:.3f}' if stretch else '':7}  {interval(ours)}  {verdict}"
        )


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
        "--only", nargs="+", default=[], choices=[*GROUPS, MEMORY], help="what to run; default: everything"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("no CUDA device is available here")
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    records = []
    for group in arguments.only or [*GROUPS, MEMORY]:
        for record in measure(group, arguments.device, arguments.rounds):
            records.append({"group": group, "threads": arguments.threads} | record)
            show(record)
    table(records)
    if arguments.json:
        result = {
            "environment": environment(arguments.device),
            "rows": others(arguments.json, records) + records,
        }
        write_text(arguments.json, json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def others(path: Path, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in the file of groups that were not run now, or on another number of threads."""
    if not path.exists():
        return []
    new = {(record["group"], record["threads"]) for record in records}
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return [row for row in rows if (row["group"], row["threads"]) not in new]


if __name__ == "__main__":
    main()
