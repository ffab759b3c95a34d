"""`efficientlab release`: what students get of a lab."""

from __future__ import annotations

import argparse
import sys

from efficientlab.cli.options import Verbs, a_path, add_lab, add_verb, find

MORE = """BUNDLE then holds
  labs/*.ipynb           the student's notebook
  efficientlab/          the modules that the lab uses, and its recorded cases
  data/                  what the lab reads
  README.md, pyproject.toml, constraints.txt
  .github/workflows/classroom.yml     points in a GitHub Classroom repository

It is searched for lines of answers, and not made if one is found in what students read. Zip it, or put it in a
repository.

examples:
  efficientlab release --lab 4 --out lab4
  efficientlab release --lab 4 --out lab4 --lend
"""


def add(verbs: Verbs) -> None:
    parser = add_verb(
        verbs, "release", run, "make what students get: the lab without anything that answers it", MORE
    )
    add_lab(parser)
    parser.add_argument("--out", type=a_path, required=True, metavar="BUNDLE", help="a new folder")
    parser.add_argument(
        "--lend", action="store_true", help="with the packed answers that lab.borrow hands out for no points"
    )


def run(options: argparse.Namespace) -> int:
    from efficientlab.authoring.release import ReleaseError, release

    try:
        print("\n".join(release(find(options), options.out, lend=options.lend)))
    except ReleaseError as error:
        print(f"efficientlab release: {error}", file=sys.stderr)
        return 2
    return 0
