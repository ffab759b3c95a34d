"""The course's site: complete, without dead links, alternative texts everywhere, nothing from outside; in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from efficientlab import counters, kernels
from efficientlab.authoring.colab import colab_url
from efficientlab.authoring.site import HTML, build_site
from efficientlab.authoring.site.api import _signature, markdown
from efficientlab.authoring.site.headlines import read_gains, read_table
from efficientlab.authoring.site.labs import papers
from efficientlab.authoring.site.mathml import mathml
from efficientlab.environment import ROOT
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import MODULES, find_lab
from efficientlab.training.recorded import RESULTS

pytestmark = pytest.mark.slow
LABS = [find_lab(number) for number in MODULES]


class Page(HTMLParser):
    """What a page links to, what it loads, its places, its pictures' texts, and what a reader reads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.alts: list[str | None] = []
        self.words: list[str] = []
        self.code = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.places |= {values[key] or "" for key in ("id", "name") if key in values}
        if tag == "a" and values.get("href"):
            self.links.append(values["href"] or "")
        if tag in ("img", "script", "iframe", "source") and values.get("src"):
            self.loads.append(values["src"] or "")
        if tag == "link" and values.get("rel") in ("stylesheet", "preload", "icon"):
            self.loads.append(values.get("href") or "")
        if tag == "img":
            self.alts.append(values.get("alt"))
        self.code += tag in ("code", "pre", "script")

    def handle_endtag(self, tag: str) -> None:
        self.code -= tag in ("code", "pre", "script")

    def handle_data(self, data: str) -> None:
        if not self.code:
            self.words.append(data)


@pytest.fixture(scope="module")
def pages() -> dict[Path, Page]:
    build_site()
    return {path: Page(path) for path in HTML.rglob("*.html")}


def test_each_lab_has_its_pages(pages: dict[Path, Page]) -> None:
    for lab in LABS:
        about = (HTML / "labs" / f"lab{lab.number}.html").read_text(encoding="utf-8")
        for exercise in lab.exercises:
            assert exercise.id in about
        student = nbformat.read(ROOT / "labs" / f"{lab.slug}.ipynb", 4)
        hints = sum(cell.source.count("<summary>Hint") for cell in student.cells)
        shown = (HTML / "labs" / f"{lab.slug}.html").read_text(encoding="utf-8")
        assert shown.count("<summary>Hint") == hints
        assert (HTML / "instructors" / f"lab{lab.number}.html").exists()
        downloads = list((HTML / "_downloads").rglob(f"{lab.slug}.ipynb"))
        assert [p.read_bytes() for p in downloads] == [(ROOT / "labs" / f"{lab.slug}.ipynb").read_bytes()]


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)
def test_each_lab_has_its_buttons_its_headline_and_its_papers(pages: dict[Path, Page], lab: Lab) -> None:
    for name in (f"lab{lab.number}", lab.slug):
        links = pages[HTML / "labs" / f"{name}.html"].links
        assert colab_url(lab.slug) in links
        assert any(link.startswith("../_downloads/") and link.endswith(f"{lab.slug}.ipynb") for link in links)
        assert any(
            link.startswith("https://github.com/") and link.endswith(f"/labs/{lab.slug}.ipynb")
            for link in links
        )
    about = (HTML / "labs" / f"lab{lab.number}.html").read_text(encoding="utf-8")
    assert 'id="the-headline-over-' in about
    assert "https://arxiv.org/" in papers(lab)
    for other in ("index.html", "labs/index.html", "instructors/index.html"):
        assert lab.title in (HTML / other).read_text(encoding="utf-8")


def test_links_lead_somewhere(pages: dict[Path, Page]) -> None:
    dead = []
    for path, page in pages.items():
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                dead.append(f"{path.relative_to(HTML)} → {link}")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
                dead.append(f"{path.relative_to(HTML)} → {link}: no such place")
    assert not dead


def test_nothing_is_loaded_from_another_host(pages: dict[Path, Page]) -> None:
    outside = [
        load for page in pages.values() for load in page.loads if urlsplit(load).scheme not in ("", "data")
    ]
    assert not outside
    styles = "".join(path.read_text(encoding="utf-8") for path in HTML.rglob("*.css"))
    assert not re.findall(r"url\(\s*[\"']?https?:[^)]*|@import\s+[\"']https?:[^\"']*", styles)


def test_each_picture_has_a_text(pages: dict[Path, Page]) -> None:
    lacking = [str(path.relative_to(HTML)) for path, page in pages.items() if not all(page.alts)]
    assert not lacking
    assert sum(len(page.alts) for page in pages.values()) > 2 * len(LABS)


def test_no_markup_is_left_for_the_reader(pages: dict[Path, Page]) -> None:
    """A formula that was not set, or Markdown that was not read."""
    left = [
        (str(path.relative_to(HTML)), word.strip()[:80])
        for path, page in pages.items()
        for word in page.words
        if re.search(r"\$\$|\\(frac|text|sum|mathbb)\b|\*\*\w|\]\(http|```", word)
    ]
    assert not left


def test_solutions_are_left_out_unless_asked_for(pages: dict[Path, Page]) -> None:
    assert not (HTML / "solutions").exists()
    shown = {
        lab.number: (HTML / f"instructors/lab{lab.number}.html").read_text(encoding="utf-8") for lab in LABS
    }
    assert all("Questions at the desk" in text for text in shown.values())
    assert not any("Reading the written answers" in text for text in shown.values())
    text = "".join(path.read_text(encoding="utf-8") for path in HTML.rglob("*.html"))
    assert "BEGIN MARK SCHEME" not in text
    assert not list((HTML / "_downloads").rglob("*.py"))


def test_the_reference_has_every_name(pages: dict[Path, Page]) -> None:
    for room in (kernels, counters):
        page = pages[HTML / "api" / f"{room.__name__.rpartition('.')[2]}.html"]
        assert {f"{room.__name__}.{name}" for name in room.__all__} <= page.places


def test_headlines_are_read_from_what_the_seeds_printed() -> None:
    table = [
        "                mIoU [lowest, highest]   M MACs  time",
        "PointNet ×½          83.0 [82.2, 83.7]     83.6  1.00",
        "voxel CNN                         78.7    156.9  1.46",
        "",
        "IoU by class         car     pole",
        "PointNet ×½         90.0     12.0",
    ]
    found = read_table(table)
    assert found is not None
    metric, rows = found
    assert metric == "mIoU"
    assert [(r.name, r.mean, r.low, r.high, r.macs) for r in rows] == [
        ("PointNet ×½", 83.0, 82.2, 83.7, 83.6),
        ("voxel CNN", 78.7, 78.7, 78.7, 156.9),
    ]
    assert read_table(["no table", "here"]) is None
    gains = [
        "boxes, mAP: LiDAR over cameras   32.3 [29.6, 39.2]   seeds: 29.7",
        "map, mIoU   -7.6 [-9.0, 10.1]",
    ]
    read = read_gains(gains)
    assert read is not None
    assert [(r.name, r.mean, r.low, r.high) for r in read[1]] == [
        ("boxes, mAP: LiDAR over cameras", 32.3, 29.6, 39.2),
        ("map, mIoU", -7.6, -9.0, 10.1),
    ]
    assert read_gains([*gains, "a sentence"]) is None and read_gains([]) is None
    assert (RESULTS / "lab4-seeds.json").exists()
    pictures = ROOT / "build" / "site" / "source" / "pictures"
    for name in ("lab4-seeds", "lab6-seeds", "lab7-seeds", "lab0-runs-1", "lab3-seeds-1", "lab3-seeds-2"):
        assert (pictures / f"{name}.svg").exists()


def test_docstrings_become_markdown() -> None:
    doc = """Shift.

    y = x[t - 1]

    Args:
        x: (N, C), the frames
            of a clip.
        n, m: T.

    Raises:
        ValueError: x is not 2D.

    >>> 1 + 1
    2
    """
    text = markdown(doc)
    assert "**Args**" in text and "- `x`: (N, C), the frames\n  of a clip." in text and "- `n, m`: T." in text
    assert "- `ValueError`: x is not 2D." in text
    assert "```pycon\n>>> 1 + 1\n2" in text


def test_a_signature_names_types_plainly() -> None:
    assert _signature(kernels.Augmentation) == "(color: Tensor, translation: Tensor, cutout: Tensor)"


@pytest.mark.parametrize(
    "tex", [r"\frac{1}{T}", r"\max\!\Big(0,\; x\Big)", r"\{0, \dots, H\}", r"\mathbb{E}[x]"]
)
def test_formulas_are_mathml(tex: str) -> None:
    text = mathml(tex)
    assert text.startswith("<math")
    assert "\\" not in text


SHOWN = ["index", "labs/lab4", "labs/lab4_tsm", "api/kernels", "benchmarks"]


@pytest.mark.parametrize(("width", "height", "scheme"), [(1366, 768, "light"), (390, 844, "dark")])
def test_pages_open_without_complaint(
    pages: dict[Path, Page],
    width: int,
    height: int,
    scheme: str,
    serve: Callable[[Path], str],
    window: Callable[..., Any],
) -> None:
    home = serve(HTML)
    opened = window(home, width, height, scheme)
    for name in SHOWN:
        opened.page.goto(f"{home}{name}.html")
        assert opened.too_wide() <= 0, name
        assert opened.serious() == [], name
    assert opened.complaints == []
    if scheme == "dark":
        ground = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert max(map(int, re.findall(r"\d+", ground)[:3])) < 80


CUT = """() => [...document.querySelectorAll("article :is(p, li, h1, h2, h3, td, a, code, math, img, summary)")]
    .filter(e => e.getClientRects().length && e.getBoundingClientRect().right > window.innerWidth + 1
        && !e.closest("pre, table, .pst-scrollable-table-container, .math-block, .math-long"))
    .map(e => `${e.tagName}: ${e.textContent.trim().slice(0, 60)}`)"""


def test_nothing_is_cut_on_a_phone(
    pages: dict[Path, Page], serve: Callable[[Path], str], window: Callable[..., Any]
) -> None:
    """The theme hides what is wider than the window, so the page's own width does not tell."""
    home = serve(HTML)
    opened = window(home, 390, 844)
    cut = {}
    for path in pages:
        name = path.relative_to(HTML).as_posix()
        opened.page.goto(home + name)
        if found := opened.page.evaluate(CUT):
            cut[name] = found
    assert not cut


def test_the_search_finds_a_kernel_and_a_lab(
    pages: dict[Path, Page], serve: Callable[[Path], str], window: Callable[..., Any]
) -> None:
    home = serve(HTML)
    opened = window(home)
    opened.page.goto(f"{home}search.html?q=trilinear_devoxelize")
    opened.page.wait_for_selector("#search-results a[href*='api/kernels']")
    opened.page.goto(f"{home}search.html?q=augmentation")
    opened.page.wait_for_selector("#search-results a[href*='lab3']")
