"""`efficientlab lab`: JupyterLab on the labs."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from efficientlab.cli.options import Verbs, add_verb, lab_number
from efficientlab.environment import ROOT, become, python_path

MORE = """examples:
  efficientlab lab                           the folder of all labs
  efficientlab lab 4                         lab 4's notebook
  efficientlab lab mine.ipynb                a notebook of your own
  efficientlab lab --no-browser --port 9000  print the address instead of opening it; serve at this port
  efficientlab lab --help-all                everything that Jupyter takes

Ctrl-C in the terminal asks whether to stop; save first.
"""


def add(verbs: Verbs) -> None:
    parser = add_verb(
        verbs, "lab", run, "open JupyterLab on the labs, as in: lab 4; further arguments go to Jupyter", MORE
    )
    parser.usage = "efficientlab lab [-h] [N | NOTEBOOK] [JUPYTER'S OPTIONS]"


def run(options: argparse.Namespace) -> NoReturn:
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in options.rest:
        print(
            "efficientlab lab: Jupyter does not serve as root, who may do anything. Become another user, or, in a "
            "container of your own, run: efficientlab lab --allow-root",
            file=sys.stderr,
        )
        raise SystemExit(2)
    rest = options.rest
    opened = ROOT / "labs"
    if rest and not rest[0].startswith("-"):  # a later word may be an option's value
        opened, rest = _notebook(rest[0]), rest[1:]
    os.chdir(ROOT)
    become([sys.executable, "-m", "jupyterlab", *rest, str(opened)], PYTHONPATH=python_path())


def _notebook(word: str) -> Path:
    """The notebook of the lab that a word names, or else the one at this path."""
    try:
        found = next((ROOT / "labs").glob(f"lab{lab_number(word)}_*.ipynb"), None)
    except argparse.ArgumentTypeError:
        found = Path(word).resolve()
    if found is None or not found.exists():
        print(f"efficientlab lab: there is no lab and no notebook {word}", file=sys.stderr)
        raise SystemExit(2)
    return found
