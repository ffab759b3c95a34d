"""`efficientlab grade`: a class's submissions to points and reports."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from efficientlab.cli.options import Verbs, a_path, add_lab, add_seed, add_verb, find

if TYPE_CHECKING:
    from efficientlab.grading.engines import Engine

SANDBOXES = ("auto", "namespaces", "bubblewrap", "landlock", "docker", "podman")

MORE = """SUBMISSIONS is what the LMS exports: a zip or a folder from Canvas, Moodle or Gradescope, a folder a student,
plain notebooks, or one notebook. Code of students runs in a sandbox; what comes back is compared outside, with
the solution's answers on fresh random cases. A second run keeps finished records and goes on where one stopped.

GRADES then holds
  index.html             the class: histograms, misconceptions, times, faults
  pages/                 one page a student, .html and .md, to hand back
  grades.csv             every exercise of every student
  canvas.csv             for Canvas' gradebook import
  gradescope/*/results.json
  records/               one JSON file a submission; review/ once answers were read

examples:
  efficientlab grade submissions.zip --lab 4 --out grades
  efficientlab grade my-lab/ --lab 4 --student me --out grades     of several notebooks in it, the one that counts
  efficientlab grade submissions/ --lab 4 --out grades --engine dask --scheduler tcp://10.0.0.1:8786
  efficientlab grade submissions/ --lab 4 --out grades --sandbox docker --image efficientlab:latest
"""


def add(verbs: Verbs) -> None:
    parser = add_verb(
        verbs, "grade", run, "grade a class's submissions in a sandbox and write all reports", MORE
    )
    parser.add_argument(
        "submissions", type=a_path, metavar="SUBMISSIONS", help="a zip, a folder or a notebook"
    )
    add_lab(parser)
    parser.add_argument(
        "--out", type=a_path, required=True, metavar="GRADES", help="the folder for all results"
    )
    parser.add_argument(
        "--student",
        metavar="NAME",
        help="SUBMISSIONS is what one student handed in, with all notebooks in it",
    )
    add_seed(parser)
    box = parser.add_mutually_exclusive_group()
    box.add_argument(
        "--sandbox", default="auto", metavar="NAME", help=f"{', '.join(SANDBOXES)} (default: auto)"
    )
    box.add_argument(
        "--no-sandbox",
        dest="sandbox",
        action="store_const",
        const="none",
        help="run students' code as your own; every report says so",
    )
    parser.add_argument("--image", help="the container image, for --sandbox docker or podman")
    parser.add_argument("--engine", choices=("local", "dask", "slurm"), default="local", help="where it runs")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of the Dask cluster, such as tcp://10.0.0.1:8786"
    )


def run(options: argparse.Namespace) -> int:
    from efficientlab.grading.grade import grade

    return grade(
        options.submissions,
        find(options),
        options.out,
        student=options.student,
        seed=options.seed,
        sandbox=options.sandbox,
        image=options.image,
        engine=_engine(options),
    )


def _engine(options: argparse.Namespace) -> Engine | None:
    if options.engine == "dask":
        from efficientlab.grading.engines.dask import DaskEngine

        if not options.scheduler:
            print("efficientlab grade: --engine dask needs --scheduler ADDRESS", file=sys.stderr)
            raise SystemExit(2)
        return DaskEngine(options.scheduler)
    if options.engine == "slurm":
        from efficientlab.grading.engines.slurm import SlurmEngine

        return SlurmEngine()
    return None
