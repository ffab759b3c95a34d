"""`efficientlab new-lab`: the skeleton of a lab."""

from __future__ import annotations

import argparse
import sys

from efficientlab.cli.options import Verbs, add_verb, lab_number
from efficientlab.environment import ROOT

MORE = """examples:
  efficientlab new-lab 8 depth   then: efficientlab build 8, and efficientlab test
"""


def add(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "new-lab",
        run,
        "write the skeleton of a lab, whose tests pass; CONTRIBUTING.md says how to go on",
        MORE,
    )
    parser.add_argument("number", type=lab_number, metavar="NUMBER")
    parser.add_argument("slug", metavar="SLUG", help="its short name, as in: new-lab 8 depth")


def run(options: argparse.Namespace) -> int:
    from efficientlab.authoring.new_lab import NewLabError, new_lab

    try:
        print("\n".join(new_lab(ROOT, options.number, options.slug)))
    except NewLabError as error:
        print(f"efficientlab new-lab: {error}", file=sys.stderr)
        return 1
    print(f"Now run: python -m efficientlab build {options.number}, then: python -m efficientlab test")
    return 0
