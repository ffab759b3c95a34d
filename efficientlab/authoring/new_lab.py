"""The skeleton of a new lab: one exercise with its check, five planted slips and another right answer.

It is small and complete: `build` makes its notebooks and its recorded cases, and the tests of all labs hold for it.
The files come from the templates in `skeleton/`, in which $number, $slug and $title stand for the new lab's.
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from efficientlab.files import write_text

TEMPLATES = Path(__file__).parent / "skeleton"
PLACES = {
    "source.py.txt": "solutions/lab{number}_{slug}.py",
    "exercises.py.txt": "efficientlab/exercises/lab{number}/__init__.py",
    "pooling.py.txt": "efficientlab/exercises/lab{number}/pooling.py",
    "sums.py.txt": "tests/mutants/lab{number}/{number}.1_sums.py",
    "takes_one_pixel.py.txt": "tests/mutants/lab{number}/{number}.1_takes_one_pixel.py",
    "takes_the_largest.py.txt": "tests/mutants/lab{number}/{number}.1_takes_the_largest.py",
    "pools_rows_only.py.txt": "tests/mutants/lab{number}/{number}.1_pools_rows_only.py",
    "mixes_channels.py.txt": "tests/mutants/lab{number}/{number}.1_mixes_channels.py",
    "teaching.md.txt": "docs/teaching/lab{number}.md",
    "library.py.txt": "tests/alternatives/lab{number}/{number}.1_library.py",
}
"""Where each template goes, from the root of the repository."""

TABLE = "efficientlab/exercises/labs.py"


class NewLabError(Exception):
    """The skeleton cannot be written; the message says why."""


def new_lab(root: Path, number: int, slug: str) -> list[str]:
    """Write the skeleton of lab `number` into the checkout at `root`, enter it into the table of labs; name the files.

    Raises `NewLabError`, and writes nothing, where the number is taken, a file is there already, or the slug is not
    lower-case letters, digits and underscores.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug):
        raise NewLabError(
            f"{slug!r} is no slug; write lower-case letters, digits and underscores, as in pvcnn"
        )
    names = {"number": number, "slug": slug}
    files = {template: root / place.format(**names) for template, place in PLACES.items()}
    table = (root / TABLE).read_text(encoding="utf-8")
    rows = dict(re.findall(r'^    (\d+): (".*"),$', table, re.M))
    if str(number) in rows:
        raise NewLabError(f"there is a lab {number} already; {TABLE} has {', '.join(rows)}")
    taken = [path for path in files.values() if path.exists()]
    if taken:
        raise NewLabError(f"{taken[0].relative_to(root)} is there already")
    title = slug.replace("_", " ").capitalize()
    for template, path in files.items():
        text = Template((TEMPLATES / template).read_text(encoding="utf-8"))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text.substitute(names, title=title))
    rows[str(number)] = f'"efficientlab.exercises.lab{number}"'
    body = "".join(f"    {key}: {rows[key]},\n" for key in sorted(rows, key=int))
    write_text(root / TABLE, re.sub(r"(?<=MODULES = \{\n).*?(?=\}\n)", body, table, flags=re.S))
    return [str(path.relative_to(root)) for path in (*files.values(), root / TABLE)]
