"""The grader beside `nbgrader autograde`, on the same submissions of a small lab, in one run.

    python benchmarks/grading.py [--students 60] [--nbgrader 10] [--whole 120] [--json benchmarks/results/grading.json]

The small lab is lab 4 with two exercises (4.1 and 4.7), their checks and the prelude. Ours grades all students, on
all cores; nbgrader grades the first few of them (`--nbgrader`), one after the other, as it does. Ours runs before and
after, and the slower counts; the start of all processes is in both. On a busy machine trust the ratio of CPU time.
Then ours grades whole notebooks of every lab, each exercise solved (`--whole` students a lab).
At last come the parts: how long a box takes to start, what a submission costs the grader itself, and the memory of a
supervisor over 500 submissions and under every planted attack.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import psutil
import torch
from nbformat import NotebookNode

from efficientlab.authoring.build import source_path
from efficientlab.authoring.source import read_source
from efficientlab.authoring.student import student_notebook
from efficientlab.environment import ROOT
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import MODULES, find_lab
from efficientlab.files import write_text
from efficientlab.grading.batch import grade_batch
from efficientlab.grading.grader import Grader, Plan
from efficientlab.grading.record import Incoming
from efficientlab.grading.running.runner import Box
from efficientlab.grading.sandbox import wait_until_ready
from efficientlab.grading.score import results_of

sys.path.insert(0, str(ROOT / "tests" / "grading"))
from attack_range import ATTACKS, IMPATIENT

from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.reading.submission import Submission

LAB = find_lab(4)
EXERCISES = ("4.1", "4.7")
SEED = 11


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument(
        "--nbgrader", type=int, default=10, help="how many of them nbgrader grades; 0 leaves it out"
    )
    parser.add_argument(
        "--whole", type=int, default=120, help="whole notebooks of each lab; 0 leaves them out"
    )
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "grading.json")
    options = parser.parse_args()
    torch.set_num_threads(1)

    user = "root" if os.geteuid() == 0 else "ordinary user"
    figures: dict[str, Any] = {"date": date.today().isoformat(), "python": platform.python_version()}
    figures |= {"torch": torch.__version__, "kernel": platform.release(), "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="efficientlab-bench-") as name:
        folder = Path(name)
        batch = write_submissions(folder / "in", options.students)
        figures |= side_by_side(batch, folder, options)
        if options.whole:
            for number in MODULES:
                figures |= whole(find_lab(number), folder / f"whole{number}", options)
    figures |= parts(options.sandbox)
    print(json.dumps(figures, indent=1))
    results = json.loads(options.json.read_text()) if options.json.exists() else {}
    write_text(options.json, json.dumps(results | {user: figures}, indent=1) + "\n")


def write_submissions(folder: Path, students: int) -> list[Incoming]:
    """Right answers, a slip, and a blank, in turn; two exercises each."""
    folder.mkdir()
    source = read_source(source_path(LAB), LAB)
    solved, blank = (small(student_notebook(source, LAB, ids)) for ids in ([e.id for e in LAB.exercises], []))
    slip = (ROOT / "tests" / "mutants" / "lab4" / "4.1_sum.py").read_text(encoding="utf-8")
    batch = []
    for number in range(students):
        notebook = nbformat.from_dict(json.loads(nbformat.writes(blank if number % 3 == 2 else solved)))
        if number % 3 == 1:
            answer = next(
                c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "ex-4-1"
            )
            answer.source = slip
        batch.append(hand_in(notebook, folder, number))
    nbformat.write(blank, folder.parent / "release.ipynb")
    return batch


def hand_in(notebook: NotebookNode, folder: Path, number: int) -> Incoming:
    """A notebook of this student's own: no two are the same file."""
    notebook.cells.append(nbformat.v4.new_code_cell(f"student = {number}"))
    path = folder / f"student{number:03}.ipynb"
    nbformat.write(notebook, path)
    notebook.cells.pop()
    return Incoming(path.stem, path.stem, path, hashlib.sha256(path.read_bytes()).hexdigest())


def small(notebook: NotebookNode) -> NotebookNode:
    """The prelude and the cells of the two exercises."""
    wanted = {LAB[e].cell for e in EXERCISES} | {LAB[e].cell.replace("ex-", "check-") for e in EXERCISES}
    notebook.cells = [
        cell
        for cell in notebook.cells
        if "prelude" in cell.metadata.get("tags", [])
        or (cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade_id") in wanted)
    ]
    return notebook


def side_by_side(batch: list[Incoming], folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Submissions a minute of both, their CPU time, and the ratios."""
    points = [[16, 8, 0][int(one.id[-3:]) % 3] for one in batch]
    runs = [ours(batch, LAB, points, folder, options.sandbox)]
    theirs = nbgrader(batch[: options.nbgrader], folder) if options.nbgrader else None
    runs.append(ours(batch, LAB, points, folder, options.sandbox))
    seconds, cpu = max(runs)
    figures: dict[str, Any] = {"students": len(batch)}
    figures["ours, submissions a minute"] = round(60 * len(batch) / seconds, 1)
    figures["ours, CPU seconds a submission, starts included"] = round(cpu / len(batch), 3)
    if theirs:
        figures["nbgrader, students"] = options.nbgrader
        figures["nbgrader, submissions a minute"] = round(60 * options.nbgrader / theirs[0], 2)
        figures["nbgrader, CPU seconds a submission"] = round(theirs[1] / options.nbgrader, 3)
        figures["ratio of submissions a minute"] = round(
            theirs[0] / options.nbgrader / (seconds / len(batch)), 1
        )
        figures["ratio of CPU time"] = round(theirs[1] / options.nbgrader / (cpu / len(batch)), 1)
    return figures


def whole(lab: Lab, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Submissions a minute of a lab's solved notebooks, and the CPU time of one."""
    (folder / "in").mkdir(parents=True)
    solved = student_notebook(read_source(source_path(lab), lab), lab, [e.id for e in lab.exercises])
    batch = [hand_in(solved, folder / "in", number) for number in range(options.whole)]
    checked = [exercise for exercise in lab.exercises if exercise.check]
    points = [sum(exercise.points for exercise in checked if not exercise.bonus)] * len(batch)
    seconds, cpu = ours(batch, lab, points, folder, options.sandbox)
    of = f"lab {lab.number}, all {len(checked)} exercises"
    return {
        f"{of}, submissions a minute": round(60 * len(batch) / seconds, 1),
        f"{of}, CPU seconds a submission, starts included": round(cpu / len(batch), 3),
    }


def cpu_seconds() -> float:
    """CPU time of this process and of all that it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def ours(
    batch: list[Incoming], lab: Lab, points: list[int], folder: Path, sandbox: str
) -> tuple[float, float]:
    """Wall and CPU seconds for the whole batch, with the start of all processes; the points must come out."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    start, cpu = time.monotonic(), cpu_seconds()
    records = list(grade_batch(batch, lab, out, seed=SEED, sandbox=sandbox))
    seconds, cpu = time.monotonic() - start, cpu_seconds() - cpu
    got = sorted(record.points for record in records)
    assert got == sorted(points), got
    assert not any(record.faults for record in records)
    return seconds, cpu


def nbgrader(batch: list[Incoming], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds for `nbgrader autograde`, which also starts once for all."""
    course = folder / "course"
    (course / "source" / "small").mkdir(parents=True)
    shutil.copy(folder / "release.ipynb", course / "source" / "small" / "small.ipynb")
    for one in batch:
        target = course / "submitted" / one.id / "small"
        target.mkdir(parents=True)
        shutil.copy(one.path, target / "small.ipynb")
    (course / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'bench'\nc.ExecutePreprocessor.timeout = 120\n"
    )
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # it calls alembic
    variables = {**os.environ, "EFFICIENTLAB_PROFILE": "ci", "JUPYTER_PREFER_ENV_PATH": "1", "PATH": path}
    command = [sys.executable, "-m", "nbgrader"]
    quiet = {"cwd": course, "env": variables, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    subprocess.run([*command, "generate_assignment", "small", "--force"], check=True, **quiet)
    start, cpu = time.monotonic(), cpu_seconds()
    subprocess.run([*command, "autograde", "small", "--force"], check=False, **quiet)
    seconds, cpu = time.monotonic() - start, cpu_seconds() - cpu
    graded = list((course / "autograded").glob("*/small/small.ipynb"))
    assert len(graded) == len(batch), f"nbgrader graded {len(graded)} of {len(batch)}"
    return seconds, cpu


def parts(sandbox: str) -> dict[str, Any]:
    """Start of a box, the grader's own cost of a submission, and memory."""
    plan = Plan(4, "benchmark", SEED, sandbox, limits=IMPATIENT)
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as name, Grader(plan) as grader:
        figures: dict[str, Any] = {"sandbox": grader.sandbox.name, "guarantee": grader.sandbox.guarantee}
        starts = []
        for _ in range(60):
            channel, seconds = wait_until_ready(grader.sandbox)
            starts.append(1000 * seconds)
            channel.close()
        figures["box start, ms, median"] = round(statistics.median(starts), 1)
        figures["box start, ms, 10th percentile"] = round(statistics.quantiles(starts, n=10)[0], 1)
        batch = write_submissions(Path(name) / "in", 6)
        records = [grader.grade(one) for one in batch * 5]
        blank = [r.cpu_seconds for r in records[6:] if r.points == 0]
        solved = [r.cpu_seconds for r in records[6:] if r.points == 16]
        figures["CPU seconds of a submission, nothing written, median"] = statistics.median(blank)
        figures["CPU seconds of a submission, all solved, median"] = statistics.median(solved)
        memory = []
        for number in range(500):
            grader.grade(batch[number % len(batch)])
            if number % 50 == 49:
                memory.append(round(process.memory_info().rss / 1e6))
        figures["supervisor, MB, after 50, 100, … 500 submissions"] = memory
        peak = 0.0
        for attack in ATTACKS:
            cell = Cell(2, attack.read_text(encoding="utf-8"), ("4.1",))
            submission = Submission(attack, (Cell(1, "CANARY = '/nowhere'\nPORT = 9"), cell))
            with Box(LAB, grader.reference.prelude, submission, IMPATIENT, grader.sandbox) as box:
                results_of(submission, grader.reference, box, [SEED])
            peak = max(peak, process.memory_info().rss / 1e6)
        figures["supervisor, MB, most after any attack"] = round(peak)
    return figures


if __name__ == "__main__":
    main()
