"""`efficientlab build`: notebooks from their sources."""

from __future__ import annotations

import argparse
import sys

from efficientlab.cli.options import Verbs, add_verb, lab_number

MORE = """examples:
  efficientlab build 4           what changed in solutions/lab4_tsm.py; it is executed only where code did
  efficientlab build --check     all labs: status 1 if something is out of date
"""


def add(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "build",
        run,
        "build the student's and the solution's notebooks from solutions/labN_*.py",
        MORE,
    )
    parser.add_argument(
        "labs", nargs="*", type=lab_number, metavar="LAB", help="labs, as 4 or lab4_tsm; all without it"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="write nothing; say what is out of date")
    what.add_argument("--run", dest="execute", action="store_true", help="execute even where no code changed")


def run(options: argparse.Namespace) -> int:
    from efficientlab.authoring.build import build, stale
    from efficientlab.exercises.labs import MODULES, find_lab

    try:
        labs = [find_lab(number) for number in options.labs or MODULES]
        lines = [
            line for lab in labs for line in (stale(lab) if options.check else build(lab, options.execute))
        ]
    except (KeyError, ValueError, RuntimeError) as error:
        print(f"efficientlab build: {error.args[0]}", file=sys.stderr)
        return 2
    print("\n".join(lines) or "everything is up to date")
    return 1 if options.check and lines else 0
