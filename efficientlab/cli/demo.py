"""`efficientlab demo`: a first look, before anything is set up."""

from __future__ import annotations

import argparse

from efficientlab.cli.options import Verbs, add_verb


def add(verbs: Verbs) -> None:
    add_verb(verbs, "demo", run, "run lab 4's solution, print its results, grade six sample submissions")


def run(options: argparse.Namespace) -> int:
    from efficientlab.demo import demo

    return demo()
