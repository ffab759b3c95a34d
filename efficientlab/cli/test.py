"""`efficientlab test`: lint, types and all tests, by pytest."""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn

from efficientlab.cli.options import Verbs, add_verb
from efficientlab.environment import ROOT, become, cores


def add(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "test",
        run,
        "run all tests; further arguments go to pytest, as in: test tests/kernels -k shift",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="what to test; everything without it")
    parser.add_argument("--quick", action="store_true", help="leave out notebooks and slow tests")


def run(options: argparse.Namespace) -> NoReturn:
    workers = min(cores(), 8)
    # the plugin that runs notebooks takes a second to import
    quick, whole = ["-m", "not slow", "-p", "no:nbval"], ["--nbval-lax", "--nbval-current-env"]
    arguments = quick if options.quick else [*whole, "--nbval-cell-timeout=3600"]
    variables = {
        "EFFICIENTLAB_PROFILE": "ci",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "",  # tests start hundreds of processes: they compile this package once
    }
    if not options.rest:
        arguments += ["tests"] if options.quick else ["tests", "solutions"]
        arguments += ["--durations=10", "--durations-min=1"]
        what = "the quick units" if options.quick else "units, mutants and every notebook"
        print(f"Lint, types, {what}, {workers} at a time, one core each.", flush=True)
        arguments += [f"--numprocesses={workers}", "--dist=loadscope", "--no-loadscope-reorder"]
        variables["OMP_NUM_THREADS"] = "1"
    arguments += options.rest
    os.chdir(ROOT)
    become([sys.executable, "-m", "pytest", *arguments], **variables)
