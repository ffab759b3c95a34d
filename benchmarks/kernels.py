"""Every op of efficientlab.kernels beside what it replaces, as ratios of interleaved times.

    python benchmarks/kernels.py [--device cpu|cuda] [--json [PATH]] [--only GROUP …] [--threads N …] [--rounds N]

A ratio is time over the baseline's time in the same round, with a 95 % bootstrap interval; milliseconds are
for orientation only. A table at the end sets the ratios beside what was asked of them. An op adds its rows
with a function in the lists of kernels_images and kernels_points. Processors differ, and so does what PyTorch
chooses on them: there is one JSON file a processor, named after it, which keeps the rows of groups that were not
run, or on another number of threads.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
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
        "chosen": row.chosen,
    }


def show(record: dict[str, Any]) -> None:
    unit, figures = ("MB", record["megabytes"]) if "megabytes" in record else ("ms", record["milliseconds"])
    by = f" (torch: {record['chosen']})" if record.get("chosen") else ""
    print(f"\n{record['op']}: {record['case']}, {record['threads']} threads{by}")
    for name, figure in figures.items():
        print(f"  {name:24}{figure:9.3f} {unit}  {interval(record['ratio'][name])}")


def interval(ratio: list[float]) -> str:
    """A ratio and its 95 % interval; peaks of memory are read once and have none."""
    value, *bounds = ratio
    return f"{value:6.3f}" + (" [{:.3f}, {:.3f}]".format(*bounds) if bounds else "")


def table(records: list[dict[str, Any]]) -> None:
    """What was asked of our ops, and what they reach."""
    asked = [record for record in records if record["limit"] is not None]
    names = [f"{record['op']}, {record['case']}, {record['threads']} threads" for record in asked]
    width = max(map(len, names), default=0)
    print(f"\n{'':{width}}  {'beside':24} required stretch  ours")
    for name, record in zip(names, asked, strict=True):
        ours, limit, stretch = record["ratio"]["ours"], record["limit"], record["stretch"]
        verdict = "stretch" if stretch and ours[0] <= stretch else "met" if ours[0] <= limit else "MISSED"
        print(
            f"{name:{width}}  {record['baseline']:24} {limit:8.3f} "
            f"{f'{stretch:.3f}' if stretch else '':7}  {interval(ours)}  {verdict}"
        )


def processor() -> str:
    """The name that the system has for the processor: "AMD EPYC 9B14", "Apple M2"."""
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    about = Path("/proc/cpuinfo")
    text = about.read_text(encoding="utf-8") if about.exists() else ""
    fields = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    if "model name" not in fields:
        return platform.processor() or platform.machine()
    family = f" family {fields['cpu family']} model {fields['model']}" if "cpu family" in fields else ""
    return fields["model name"] + family  # a virtual machine may call several of them alike


def environment(device: str) -> dict[str, object]:
    try:
        import triton

        triton_version = triton.__version__
    except ImportError:
        triton_version = None
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "mkl": torch.backends.mkl.is_available(),
        "onednn": torch.backends.mkldnn.is_available(),
        "torch": torch.__version__,
        "triton": triton_version,
        "python": platform.python_version(),
        "date": date.today().isoformat(),
    }


def results_of(device: str) -> Path:
    """The file of this processor: results/kernels-amd-epyc-family-25-model-17.json."""
    slug = re.sub(r"[^a-z0-9]+", "-", str(environment(device)["device"]).lower()).strip("-")
    return Path(__file__).parent / "results" / f"kernels-{slug}.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument(
        "--json", type=Path, nargs="?", const=Path(), help="where to write; default: this processor's file"
    )
    parser.add_argument(
        "--only", nargs="+", default=[], choices=[*GROUPS, MEMORY], help="what to run; default: everything"
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("no CUDA device is available here")
    torch.manual_seed(0)
    path = results_of(arguments.device) if arguments.json == Path() else arguments.json
    records: list[dict[str, Any]] = []
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        for group in arguments.only or [*GROUPS, MEMORY]:
            if group == MEMORY and threads != arguments.threads[0]:
                continue  # memory is the same on any number of threads
            for record in measure(group, arguments.device, arguments.rounds):
                records.append({"group": group, "threads": threads} | record)
                show(records[-1])
            if path is not None:
                write(path, arguments.device, records)
    table(records)


def write(path: Path, device: str, records: list[dict[str, Any]]) -> None:
    """What was measured so far: a run takes most of an hour, and an error in its last group loses that group alone."""
    result = {"environment": environment(device), "rows": others(path, records) + records}
    write_text(path, json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def others(path: Path, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in the file of groups that were not run now, or on another number of threads."""
    if not path.exists():
        return []
    new = {(record["group"], record["threads"]) for record in records}
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return [row for row in rows if (row["group"], row["threads"]) not in new]


if __name__ == "__main__":
    main()
