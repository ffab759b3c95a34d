"""`efficientlab review`: written answers, read by a person."""

from __future__ import annotations

import argparse

from efficientlab.cli.options import Verbs, a_path, add_lab, add_verb, find

MORE = """The first run writes GRADES/review/EXERCISE.html, all answers side by side under codes, and
GRADES/review/points.csv. Fill in the points there, in any spreadsheet, and run it again: the pages of students, the
overview and the tables then hold them. What is filled in is kept.

examples:
  efficientlab review grades --lab 4      writes the pages and points.csv; the second time, merges what was filled in
"""


def add(verbs: Verbs) -> None:
    parser = add_verb(
        verbs, "review", run, "read the written answers side by side; merge the points from a CSV", MORE
    )
    parser.add_argument("grades", type=a_path, metavar="GRADES", help="the folder that grade wrote")
    add_lab(parser)


def run(options: argparse.Namespace) -> int:
    from efficientlab.grading.grade import review

    return review(options.grades, find(options))
