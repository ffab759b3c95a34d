"""`efficientlab site`: the course's pages."""

from __future__ import annotations

import argparse
import sys

from efficientlab.cli.options import Verbs, add_verb

MORE = """examples:
  efficientlab site                 for students
  efficientlab site --solutions     for you: the same with all solutions
Open build/site/html/index.html. .github/workflows/site.yml publishes it without solutions.
"""


def add(verbs: Verbs) -> None:
    parser = add_verb(verbs, "site", run, "build the course's site in build/site/html", MORE)
    parser.add_argument("--solutions", action="store_true", help="with the solutions, for instructors")


def run(options: argparse.Namespace) -> int:
    from efficientlab.authoring.site import SiteError, build_site

    try:
        print("\n".join(build_site(solutions=options.solutions)))
    except SiteError as error:
        print(f"efficientlab site: {error}", file=sys.stderr)
        return 1
    return 0
