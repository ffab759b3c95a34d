"""`efficientlab …` and `python -m efficientlab …`: thin, every verb is a function elsewhere.

Only the standard library is imported at the top, so that the command starts on a machine with Python and this
checkout alone; `environment.provide` then makes what the verb needs.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from efficientlab import __version__
from efficientlab.environment import ROOT, become, cores, provide, python_path

if TYPE_CHECKING:
    from efficientlab.exercises.lab import Lab
    from efficientlab.grading.engines import Engine

SANDBOXES = ("auto", "namespaces", "bubblewrap", "landlock", "docker", "podman")

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

LAB = """examples:
  efficientlab lab                           the folder of all labs
  efficientlab lab 4                         lab 4's notebook
  efficientlab lab mine.ipynb                a notebook of your own
  efficientlab lab --no-browser --port 9000  print the address instead of opening it; serve at this port
  efficientlab lab --help-all                everything that Jupyter takes

Ctrl-C in the terminal asks whether to stop; save first.
"""

CHECK = """examples:
  efficientlab check labs/lab4_tsm.ipynb --lab 4                 what your notebook has so far
  efficientlab check mine.ipynb --lab 4 --exercise 4.2           status 1 unless 4.2 gets all its points
  efficientlab check mine.ipynb --lab 4 --seed 7                 the same fresh cases each time

Nothing but the answers is run, as your own code; written answers are read by a person.
"""

GRADE = """SUBMISSIONS is what the LMS exports: a zip or a folder from Canvas, Moodle or Gradescope, a folder a student,
plain notebooks, or one notebook. Code of students runs in a sandbox; what comes back is compared outside, with
the solution's answers on fresh random cases. A second run keeps finished records and goes on where one stopped.

GRADES then holds
  index.html             the class: histograms, misconceptions, times, faults
  pages/                 one page a student, .html and .md, to hand back
  grades.csv             every exercise of every student
  canvas.csv             for Canvas' gradebook import
  gradescope/*/results.json
  records/               one JSON file a submission; review/ once answers were read

examples:
  efficientlab grade submissions.zip --lab 4 --out grades
  efficientlab grade my-lab/ --lab 4 --student me --out grades     of several notebooks in it, the one that counts
  efficientlab grade submissions/ --lab 4 --out grades --engine dask --scheduler tcp://10.0.0.1:8786
  efficientlab grade submissions/ --lab 4 --out grades --sandbox docker --image efficientlab:latest
"""

REVIEW = """The first run writes GRADES/review/EXERCISE.html, all answers side by side under codes, and
GRADES/review/points.csv. Fill in the points there, in any spreadsheet, and run it again: the pages of students, the
overview and the tables then hold them. What is filled in is kept.

examples:
  efficientlab review grades --lab 4      writes the pages and points.csv; the second time, merges what was filled in
"""

RELEASE = """BUNDLE then holds
  labs/*.ipynb           the student's notebook
  efficientlab/          the modules that the lab uses, and its recorded cases
  data/                  what the lab reads
  README.md, pyproject.toml, constraints.txt
  .github/workflows/classroom.yml     points in a GitHub Classroom repository

It is searched for lines of answers, and not made if one is found in what students read. Zip it, or put it in a
repository.

examples:
  efficientlab release --lab 4 --out lab4
  efficientlab release --lab 4 --out lab4 --lend
"""

VALIDATE = """examples:
  efficientlab validate --lab 4
  efficientlab validate             all labs, one after the other
"""

SITE = """examples:
  efficientlab site                 for students
  efficientlab site --solutions     for you: the same with all solutions
Open build/site/html/index.html. .github/workflows/site.yml publishes it without solutions.
"""

BUILD = """examples:
  efficientlab build 4           what changed in solutions/lab4_tsm.py; it is executed only where code did
  efficientlab build --check     all labs: status 1 if something is out of date
"""

NEW_LAB = """examples:
  efficientlab new-lab 8 depth   then: efficientlab build 8, and efficientlab test
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

    def verb(name: str, run: object, text: str, more: str = "") -> argparse.ArgumentParser:
        sub = verbs.add_parser(
            name,
            help=text,
            description=text,
            epilog=more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    def lab(sub: argparse.ArgumentParser, required: bool = True) -> None:
        text = "the lab's number" if required else "the lab's number; all labs without it"
        sub.add_argument("--lab", type=_lab_number, required=required, metavar="N", help=text)

    verb("demo", _demo, "run lab 4's solution, print its results, grade six sample submissions")
    verb(
        "lab",
        _lab,
        "open JupyterLab on the labs, as in: lab 4; further arguments go to Jupyter",
        LAB,
    ).usage = "efficientlab lab [-h] [N | NOTEBOOK] [JUPYTER'S OPTIONS]"
    test = verb(
        "test", _test, "run all tests; further arguments go to pytest, as in: test tests/kernels -k shift"
    )
    test.add_argument("paths", nargs="*", metavar="PATH", help="what to test; everything without it")
    test.add_argument("--quick", action="store_true", help="leave out notebooks and slow tests")
    check = verb(
        "check", _check, "check notebooks of your own, without a sandbox, and print their points", CHECK
    )
    check.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")
    lab(check)
    check.add_argument(
        "--exercise",
        action="append",
        default=[],
        metavar="ID",
        help="end with status 1 unless it gets all its points; may be repeated (for autograders)",
    )
    _add_seed(check)
    grade = verb("grade", _grade, "grade a class's submissions in a sandbox and write all reports", GRADE)
    grade.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help="a zip, a folder or a notebook")
    lab(grade)
    grade.add_argument("--out", type=Path, required=True, metavar="GRADES", help="the folder for all results")
    grade.add_argument(
        "--student",
        metavar="NAME",
        help="SUBMISSIONS is what one student handed in, with all notebooks in it",
    )
    _add_seed(grade)
    box = grade.add_mutually_exclusive_group()
    box.add_argument(
        "--sandbox", default="auto", metavar="NAME", help=f"{', '.join(SANDBOXES)} (default: auto)"
    )
    box.add_argument(
        "--no-sandbox",
        dest="sandbox",
        action="store_const",
        const="none",
        help="run students' code as your own; every report says so",
    )
    grade.add_argument("--image", help="the container image, for --sandbox docker or podman")
    grade.add_argument("--engine", choices=("local", "dask", "slurm"), default="local", help="where it runs")
    grade.add_argument(
        "--scheduler", metavar="ADDRESS", help="of the Dask cluster, such as tcp://10.0.0.1:8786"
    )
    review = verb(
        "review", _review, "read the written answers side by side; merge the points from a CSV", REVIEW
    )
    review.add_argument("grades", type=Path, metavar="GRADES", help="the folder that grade wrote")
    lab(review)
    release = verb(
        "release", _release, "make what students get: the lab without anything that answers it", RELEASE
    )
    lab(release)
    release.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="a new folder")
    release.add_argument(
        "--lend", action="store_true", help="with the packed answers that lab.borrow hands out for no points"
    )
    validate = verb(
        "validate",
        _validate,
        "show that the solution gets all points, the stub none, each slip is found",
        VALIDATE,
    )
    lab(validate, required=False)
    site = verb("site", _site, "build the course's site in build/site/html", SITE)
    site.add_argument("--solutions", action="store_true", help="with the solutions, for instructors")
    build = verb(
        "build", _build, "build the student's and the solution's notebooks from solutions/labN_*.py", BUILD
    )
    build.add_argument(
        "labs", nargs="*", type=_lab_number, metavar="LAB", help="labs, as 4 or lab4_tsm; all without it"
    )
    new = verb(
        "new-lab",
        _new_lab,
        "write the skeleton of a lab, whose tests pass; CONTRIBUTING.md says how to go on",
        NEW_LAB,
    )
    new.add_argument("number", type=_lab_number, metavar="NUMBER")
    new.add_argument("slug", metavar="SLUG", help="its short name, as in: new-lab 8 depth")
    what = build.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="write nothing; say what is out of date")
    what.add_argument("--run", dest="execute", action="store_true", help="execute even where no code changed")
    return parser


def _add_seed(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--seed", type=_seed, help="seed of the fresh cases; drawn anew without it")


def _lab_number(text: str) -> int:
    """4, lab4 and lab4_tsm name the same lab."""
    match = re.fullmatch(r"(?:lab)?(\d{1,3})(?:_\w+)?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} names no lab; write 4, lab4 or lab4_tsm")
    return int(match[1])


def _seed(text: str) -> int:
    if not re.fullmatch(r"\d{1,10}", text) or not 0 < int(text) < 2**31 - 1:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is no seed; write a whole number from 1 to {2**31 - 2}"
        )
    return int(text)


def _demo(options: argparse.Namespace) -> int:
    from efficientlab.demo import demo

    return demo()


def _lab(options: argparse.Namespace) -> NoReturn:
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
        found = next((ROOT / "labs").glob(f"lab{_lab_number(word)}_*.ipynb"), None)
    except argparse.ArgumentTypeError:
        found = Path(word).resolve()
    if found is None or not found.exists():
        print(f"efficientlab lab: there is no lab and no notebook {word}", file=sys.stderr)
        raise SystemExit(2)
    return found


def _test(options: argparse.Namespace) -> NoReturn:
    workers = min(cores(), 8)
    arguments = [] if options.quick else ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=3600"]
    arguments += ["-m", "not slow"] if options.quick else []
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


def _check(options: argparse.Namespace) -> int:
    from efficientlab.grading.check import check_notebooks

    lab = _find(options)
    unknown = set(options.exercise) - {exercise.id for exercise in lab.exercises if exercise.check}
    if unknown:
        print(f"efficientlab check: code checks no exercise {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    return check_notebooks(options.notebooks, lab, options.seed, options.exercise)


def _grade(options: argparse.Namespace) -> int:
    from efficientlab.grading.grade import grade

    return grade(
        options.submissions,
        _find(options),
        options.out,
        student=options.student,
        seed=options.seed,
        sandbox=options.sandbox,
        image=options.image,
        engine=_engine(options),
    )


def _engine(options: argparse.Namespace) -> Engine | None:
    if options.engine == "dask":
        from efficientlab.grading.engines.dask import DaskEngine

        if not options.scheduler:
            print("efficientlab grade: --engine dask needs --scheduler ADDRESS", file=sys.stderr)
            raise SystemExit(2)
        return DaskEngine(options.scheduler)
    if options.engine == "slurm":
        from efficientlab.grading.engines.slurm import SlurmEngine

        return SlurmEngine()
    return None


def _review(options: argparse.Namespace) -> int:
    from efficientlab.grading.grade import review

    return review(options.grades, _find(options))


def _release(options: argparse.Namespace) -> int:
    from efficientlab.authoring.release import ReleaseError, release

    try:
        print("\n".join(release(_find(options), options.out, lend=options.lend)))
    except ReleaseError as error:
        print(f"efficientlab release: {error}", file=sys.stderr)
        return 2
    return 0


def _validate(options: argparse.Namespace) -> int:
    from efficientlab.authoring.validate import validate
    from efficientlab.exercises.labs import MODULES, find_lab

    labs = [_find(options)] if options.lab is not None else [find_lab(number) for number in MODULES]
    return max(validate(lab) for lab in labs)


def _site(options: argparse.Namespace) -> int:
    from efficientlab.authoring.site import SiteError, build_site

    try:
        print("\n".join(build_site(solutions=options.solutions)))
    except SiteError as error:
        print(f"efficientlab site: {error}", file=sys.stderr)
        return 1
    return 0


def _find(options: argparse.Namespace) -> Lab:
    from efficientlab.exercises.labs import find_lab

    try:
        return find_lab(options.lab)
    except KeyError as error:
        print(f"efficientlab {options.verb}: {error.args[0]}", file=sys.stderr)
        raise SystemExit(2) from None


def _new_lab(options: argparse.Namespace) -> int:
    from efficientlab.authoring.new_lab import NewLabError, new_lab

    try:
        print("\n".join(new_lab(ROOT, options.number, options.slug)))
    except NewLabError as error:
        print(f"efficientlab new-lab: {error}", file=sys.stderr)
        return 1
    print(f"Now run: python -m efficientlab build {options.number}, then: python -m efficientlab test")
    return 0


def _build(options: argparse.Namespace) -> int:
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
