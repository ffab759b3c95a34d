"""`efficientlab …` and `python -m efficientlab …`: a file a verb, and each thin: its work is a function elsewhere.

Only the standard library is imported at the top, here and in the verbs, so that the command starts on a machine with
Python and this checkout alone; `environment.provide` then makes what the verb needs.
"""

from __future__ import annotations

import argparse
import errno
import io
import sys

from efficientlab import __version__
from efficientlab.cli import build, check, demo, grade, lab, new_lab, release, review, site, test, validate
from efficientlab.environment import provide

VERBS = (
    demo,
    lab,
    test,
    check,
    grade,
    review,
    release,
    validate,
    site,
    build,
    new_lab,
)  # as the help has them

EXAMPLES = """for students:
  python -m efficientlab lab                           open JupyterLab on the labs; `lab 4` opens lab 4
  python -m efficientlab check mine.ipynb --lab 4      points of one notebook of your own, exercise by exercise

for instructors:
  python -m efficientlab demo                          run lab 4's solution and grade six sample submissions
  python -m efficientlab validate --lab 4              before release: solution 100 %, stub 0, each slip found
  python -m efficientlab release --lab 4 --out bundle  what students get, without anything that answers it
  python -m efficientlab grade export.zip --lab 4 --out grades     grade a class, in a sandbox
  python -m efficientlab review grades --lab 4         read the written answers side by side, merge their points
  python -m efficientlab site --solutions              the course's site; without the solutions it is for students

for contributors:
  python -m efficientlab new-lab 8 depth               write the skeleton of a lab, whose tests pass
  python -m efficientlab build 4                       rebuild lab 4's notebooks from solutions/lab4_tsm.py
  python -m efficientlab test --quick                  lint, types, and the units that take no time
  python -m efficientlab test                          those, mutants and every notebook

`python -m efficientlab VERB --help` explains one of them. Where torch or another package is missing, the first use
makes .venv beside the checkout and goes on there. docs/instructors.md says how to come from a clone to grades, LMS by
LMS; CONTRIBUTING.md how to write a lab.
"""

PASS_ON = ("lab", "test")
"""Verbs that hand on what they do not know: to Jupyter, to pytest."""

CANNOT_WRITE = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT)
"""A place that is read-only, another's, full, or over its quota: the reader's to mend, and no fault of ours."""


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run one verb; the exit status is 0 where all went well."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console may lack ×, … or a student's name
    parser = _parser()
    words = sys.argv[1:] if arguments is None else arguments
    options, rest = parser.parse_known_args(words)
    if rest and options.verb not in PASS_ON:
        parser.error(f"{options.verb} does not know {' '.join(rest)}")
    if options.verb == "test":  # in their order: argparse takes the value of an unknown option for a path
        rest = [word for word in words[words.index("test") + 1 :] if word not in ("--quick", "--")]
    options.rest = rest
    provide(options.verb)
    try:
        raise SystemExit(options.run(options))
    except KeyboardInterrupt:
        print(f"\nefficientlab {options.verb}: stopped", file=sys.stderr)
        raise SystemExit(130) from None
    except OSError as error:
        if error.errno not in CANNOT_WRITE:
            raise
        where = f"{error.filename}: " if error.filename else ""  # a full disk names no file
        print(f"efficientlab {options.verb}: {where}{error.strerror}", file=sys.stderr)
        raise SystemExit(2) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="efficientlab",
        description="Labs on application-specific efficient vision: run them, check answers, build them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"efficientlab {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in VERBS:
        verb.add(verbs)
    return parser
