"""What verbs share: how they are added to the command line, and the options that several take."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from efficientlab.exercises.lab import Lab

Verbs: TypeAlias = (
    "argparse._SubParsersAction[argparse.ArgumentParser]"  # in quotes: a generic for type checkers alone
)


def add_verb(
    verbs: Verbs, name: str, run: Callable[[argparse.Namespace], int], text: str, more: str = ""
) -> argparse.ArgumentParser:
    """A verb that `run` carries out: `text` explains it in one line, `more` stands below its options."""
    parser = verbs.add_parser(
        name,
        help=text,
        description=text,
        epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_lab(parser: argparse.ArgumentParser, required: bool = True) -> None:
    text = "the lab's number" if required else "the lab's number; all labs without it"
    parser.add_argument("--lab", type=lab_number, required=required, metavar="N", help=text)


def add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=_seed, help="seed of the fresh cases; drawn anew without it")


def lab_number(text: str) -> int:
    """4, lab4 and lab4_tsm name the same lab."""
    match = re.fullmatch(r"(?:lab)?(\d{1,3})(?:_\w+)?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} names no lab; write 4, lab4 or lab4_tsm")
    return int(match[1])


def a_path(text: str) -> Path:
    """A path that was given: an empty one, as of a variable that is not set, would be the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty; write . for the current folder")
    return Path(text)


def _seed(text: str) -> int:
    if not re.fullmatch(r"\d{1,10}", text) or not 0 < int(text) < 2**31 - 1:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is no seed; write a whole number from 1 to {2**31 - 2}"
        )
    return int(text)


def find(options: argparse.Namespace) -> Lab:
    """The lab of `--lab`; status 2 and one sentence where there is none."""
    from efficientlab.exercises.labs import find_lab

    try:
        return find_lab(options.lab)
    except KeyError as error:
        print(f"efficientlab {options.verb}: {error.args[0]}", file=sys.stderr)
        raise SystemExit(2) from None
