"""`efficientlab …` and `python -m efficientlab …`: thin, every verb is a function elsewhere.

Only the standard library is imported at the top, so that the command starts on a machine with Python and this
checkout alone; `environment.provide` then makes what the verb needs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from efficientlab import __version__
from efficientlab.environment import ROOT, provide

EXAMPLES = """examples:
  python -m efficientlab demo                         run lab 4's solution and check three sample submissions
  python -m efficientlab lab                          open JupyterLab on the labs
  python -m efficientlab check mine.ipynb --lab 4     points of one notebook, exercise by exercise
  python -m efficientlab build 4                      rebuild lab 4's notebooks from solutions/lab4_tsm.py
  python -m efficientlab test                         lint, types, unit tests, mutants and every notebook

Where torch or another package is missing, the first use makes .venv beside the checkout and goes on there.
"""


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run one verb; the exit status is 0 where all went well."""
    options = _parser().parse_args(arguments)
    provide(options.verb)
    raise SystemExit(options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="efficientlab",
        description="Labs on application-specific efficient vision: run them, check answers, build them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"efficientlab {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: object, text: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    verb("demo", _demo, "run lab 4's solution, print its results, check three sample submissions")
    verb("lab", _lab, "open JupyterLab on the labs")
    test = verb("test", _test, "run all tests; further arguments go to pytest")
    test.add_argument("rest", nargs=argparse.REMAINDER, metavar="PYTEST_ARGUMENT")
    check = verb("check", _check, "check submissions and print their points, exercise by exercise")
    check.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")
    check.add_argument("--lab", type=int, required=True, metavar="N", help="the lab's number")
    check.add_argument("--seed", type=int, help="seed of the fresh cases; drawn anew without it")
    build = verb("build", _build, "build the student's and the solution's notebooks from solutions/labN_*.py")
    build.add_argument("labs", nargs="*", metavar="LAB", help="labs by number, such as 4; all without it")
    what = build.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="write nothing; say what is out of date")
    what.add_argument("--run", dest="execute", action="store_true", help="execute even where no code changed")
    return parser


def _demo(options: argparse.Namespace) -> int:
    from efficientlab.demo import demo

    return demo()


def _lab(options: argparse.Namespace) -> int:
    return subprocess.call([sys.executable, "-m", "jupyterlab", str(ROOT / "labs")], cwd=ROOT)


def _test(options: argparse.Namespace) -> int:
    everything = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=600", "tests", "solutions"]
    command = [sys.executable, "-m", "pytest", *(options.rest or everything)]
    return subprocess.call(command, cwd=ROOT, env={**os.environ, "EFFICIENTLAB_PROFILE": "ci"})


def _check(options: argparse.Namespace) -> int:
    from efficientlab.exercises.labs import find_lab
    from efficientlab.grading.report import check_notebooks

    try:
        lab = find_lab(options.lab)
    except KeyError as error:
        print(f"efficientlab check: {error.args[0]}", file=sys.stderr)
        return 2
    return check_notebooks(options.notebooks, lab, options.seed)


def _build(options: argparse.Namespace) -> int:
    from efficientlab.authoring.build import build, stale
    from efficientlab.exercises.labs import MODULES, find_lab

    try:
        labs = [find_lab(int(str(name).removeprefix("lab"))) for name in options.labs or MODULES]
        lines = [
            line for lab in labs for line in (stale(lab) if options.check else build(lab, options.execute))
        ]
    except (KeyError, ValueError, RuntimeError) as error:
        print(f"efficientlab build: {error.args[0]}", file=sys.stderr)
        return 2
    print("\n".join(lines) or "everything is up to date")
    return 1 if options.check and lines else 0
