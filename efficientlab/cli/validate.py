"""`efficientlab validate`: whether a lab's checks tell right from wrong."""

from __future__ import annotations

import argparse

from efficientlab.cli.options import Verbs, add_lab, add_verb, find

MORE = """examples:
  efficientlab validate --lab 4
  efficientlab validate             all labs, one after the other
"""


def add(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "validate",
        run,
        "show that the solution gets all points, the stub none, each slip is found",
        MORE,
    )
    add_lab(parser, required=False)


def run(options: argparse.Namespace) -> int:
    from efficientlab.authoring.validate import validate
    from efficientlab.exercises.labs import MODULES, find_lab

    labs = [find(options)] if options.lab is not None else [find_lab(number) for number in MODULES]
    return max(validate(lab) for lab in labs)
