"""`efficientlab check`: points of notebooks of one's own."""

from __future__ import annotations

import argparse
import sys

from efficientlab.cli.options import Verbs, a_path, add_lab, add_seed, add_verb, find

MORE = """examples:
  efficientlab check labs/lab4_tsm.ipynb --lab 4                 what your notebook has so far
  efficientlab check mine.ipynb --lab 4 --exercise 4.2           status 1 unless 4.2 gets all its points
  efficientlab check mine.ipynb --lab 4 --seed 7                 the same fresh cases each time

Nothing but the answers is run, as your own code; written answers are read by a person.
"""


def add(verbs: Verbs) -> None:
    parser = add_verb(
        verbs, "check", run, "check notebooks of your own, without a sandbox, and print their points", MORE
    )
    parser.add_argument("notebooks", nargs="+", type=a_path, metavar="NOTEBOOK")
    add_lab(parser)
    parser.add_argument(
        "--exercise",
        action="append",
        default=[],
        metavar="ID",
        help="end with status 1 unless it gets all its points; may be repeated (for autograders)",
    )
    add_seed(parser)


def run(options: argparse.Namespace) -> int:
    from efficientlab.grading.check import check_notebooks

    lab = find(options)
    unknown = set(options.exercise) - {exercise.id for exercise in lab.exercises if exercise.check}
    if unknown:
        print(f"efficientlab check: code checks no exercise {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    return check_notebooks(options.notebooks, lab, options.seed, options.exercise)
