"""The course's site: Sphinx's source from the registry, the notebooks, the benchmarks and `docs/`, then its pages.

Nothing that Sphinx reads is kept: `build/site/source` is written anew each time, so a new lab, benchmark or docstring
is on the site without further ado. The pages ask no other host for anything.
"""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from efficientlab.authoring.site import api, benchmarks, guides, labs
from efficientlab.environment import ROOT
from efficientlab.exercises.labs import MODULES, find_lab
from efficientlab.files import write_text

SITE = ROOT / "build" / "site"
SOURCE, HTML = SITE / "source", SITE / "html"
HAND_WRITTEN = ROOT / "docs" / "site"


class SiteError(Exception):
    """The site cannot be built; the message says what Sphinx found wrong."""


def build_site(solutions: bool = False) -> list[str]:
    """Build the site; return a line for each part of it. With `solutions` it is for instructors alone.

    Raises `SiteError` for every warning of Sphinx: a link that leads nowhere, a formula that is none.
    """
    start = time.perf_counter()
    pages = write_source(SOURCE, solutions)
    _run_sphinx()
    return [
        f"{len(pages)} pages of {len(MODULES)} labs, {'with' if solutions else 'without'} solutions, "
        f"in {time.perf_counter() - start:.0f} s",
        f"open {HTML.relative_to(ROOT).as_posix()}/index.html",
    ]


def write_source(folder: Path, solutions: bool) -> list[Path]:
    """Write what Sphinx reads to a new `folder`; return the pages."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HAND_WRITTEN, folder)
    shutil.copytree(
        ROOT / "docs", folder / "pictures", ignore=lambda _, names: {n for n in names if ".png" not in n}
    )
    shutil.copytree(ROOT / "labs", folder / "downloads", ignore=shutil.ignore_patterns(".*"))
    for name, text in _generated(folder, solutions):
        write_text(folder / name, text)
    return sorted(path for path in folder.rglob("*") if path.suffix in (".md", ".ipynb"))


def _generated(folder: Path, solutions: bool) -> Iterator[tuple[str, str]]:
    """Names and texts of the generated pages; pictures are written to `folder` on the way."""
    series = [find_lab(number) for number in MODULES]
    home = (HAND_WRITTEN / "index.md").read_text(encoding="utf-8")
    home = home.replace("<!-- cards -->", labs.cards(series))
    yield "index.md", home.replace("<!-- citation -->", guides.citation())
    start = (HAND_WRITTEN / "start.md").read_text(encoding="utf-8")
    yield "start.md", start.replace("<!-- on your machine -->", guides.of_readme("On your machine"))
    yield from labs.pages(series, folder)
    if solutions:
        yield from labs.solution_pages(series)
    yield from guides.pages(series, solutions)
    yield from api.pages()
    yield from benchmarks.pages(folder)


def _run_sphinx() -> None:
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    shutil.rmtree(HTML, ignore_errors=True)
    warnings = io.StringIO()
    with patch_docutils(), docutils_namespace():
        app = Sphinx(
            SOURCE,
            SOURCE,
            HTML,
            SITE / "doctrees",
            "html",
            status=None,
            warning=warnings,
            freshenv=True,
            parallel=2,
        )
        app.build()
    (HTML / "_static" / "webpack-macros.html").unlink()  # the theme's template, which is no page
    for path in HTML.rglob("*.html"):
        write_text(path, with_names(path.read_text(encoding="utf-8")))
    if found := warnings.getvalue().strip():
        raise SiteError(found)


def with_names(page: str) -> str:
    """A page whose navigation's toggles have a name for a screen reader, which the theme does not give them."""
    return page.replace(
        '<summary><span class="toctree-toggle"',
        '<summary aria-label="Pages below"><span class="toctree-toggle"',
    )
