"""A lab's pages: what it is about and what it shows, the student's notebook, and for instructors the solution."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from efficientlab.authoring.colab import BADGE, colab_url, is_setup, repository
from efficientlab.authoring.site.headlines import headline
from efficientlab.environment import ROOT
from efficientlab.exercises.lab import Lab

PAPER = re.compile(r"(?<!!)\[([^\]]+)\]\((https://(?:arxiv\.org|doi\.org)/(?:[^()\s]|\([^()\s]*\))+)\)")
HOW_TO_WORK = re.compile(r"\*\*How to work\.\*\*\s*(.*?)(?:\n\n|\Z)", re.S)


def pages(labs: Sequence[Lab], folder: Path) -> Iterator[tuple[str, str]]:
    """Names and texts of the pages of all labs; pictures of their seeds are written to `folder`/pictures."""
    for lab in labs:
        yield f"labs/lab{lab.number}.md", lab_page(lab, folder / "pictures")
        yield f"labs/{lab.slug}.ipynb", notebook_page(lab)
    rows = "\n".join(
        f"| [{lab.number} · {lab.title}](lab{lab.number}.md) | {promise(lab)} | {core_minutes(lab)} | {minutes(lab)} |"
        for lab in labs
    )
    names = "\n".join(f"lab{lab.number}" for lab in labs)
    yield "labs/index.md", INDEX.format(rows=rows, names=names)


INDEX = """# The labs

You need Python and a first course in deep learning: convolutions, a training loop, PyTorch. Lab 0 makes the meters
that the others use; each lab can be done without the others. [How to start](../start.md) says what a machine needs,
[the notation](../notation.md) what the letters mean.

| lab | you will have at the end | core path, minutes | all exercises |
|---|---|---:|---:|
{rows}

```{{toctree}}
:hidden:

{names}
```
"""

CARD = """::::{{container}} lab-card
![{alt}](pictures/lab{n}.png)

**[Lab {n} · {title}](labs/lab{n}.md)**

{what}
::::
"""


def cards(labs: Sequence[Lab]) -> str:
    """A card a lab, for the first page."""
    return "\n".join(
        CARD.format(n=lab.number, title=lab.title, alt=cover_alt(lab), what=promise(lab)) for lab in labs
    )


def lab_page(lab: Lab, pictures: Path) -> str:
    """The page that leads into a lab."""
    parts = [
        f"# Lab {lab.number} · {lab.title}\n",
        story(lab),
        f"\n:::{{container}} lab-buttons\n[Read the notebook]({lab.slug}.ipynb) {_buttons(lab)}\n:::\n",
        f"![{cover_alt(lab)}](../pictures/lab{lab.number}.png)\n",
        f"## Exercises\n\n{how_to_work(lab)}\n\n{exercise_table(lab)}\n",
        headline(lab, pictures),
        f"## Papers\n\n{papers(lab)}\n",
        f"```{{toctree}}\n:hidden:\n\nThe notebook <{lab.slug}>\n```\n",
    ]
    return "\n".join(part for part in parts if part)


def _buttons(lab: Lab) -> str:
    source = f"https://github.com/{repository()}/blob/main/labs/{lab.slug}.ipynb"
    return (
        f"[Open in Colab]({colab_url(lab.slug)}) "
        f"{{download}}`Download <../downloads/{lab.slug}.ipynb>` [On GitHub]({source})"
    )


def exercise_table(lab: Lab) -> str:
    """The exercises with kind, points, minutes and difficulty."""
    rows = [
        f"| {e.id} {e.title} | {'kernel corner' if e.bonus else e.kind} | {'+' if e.bonus else ''}{e.points} "
        f"| {e.minutes} | {'★' * e.stars}{'☆' * (3 - e.stars)} |"
        for e in lab.exercises
    ]
    return "\n".join(
        ["| exercise | kind | points | minutes | difficulty |", "|---|---|---:|---:|---|", *rows]
    )


def minutes(lab: Lab) -> int:
    """Minutes that all exercises but the bonus are meant to take."""
    return sum(e.minutes for e in lab.exercises if not e.bonus)


def core_minutes(lab: Lab) -> int:
    """Minutes up to the lab's headline result, as its notebook says: reading, writing and the runs."""
    match = re.search(r"about (\d+) minutes", " ".join(how_to_work(lab).split()))
    if match is None:
        raise ValueError(f"lab {lab.number} does not say how many minutes its core path takes")
    return int(match[1])


def papers(lab: Lab) -> str:
    """The papers that the notebook links to, in its order, each under the names that it has there."""
    cells = nbformat.read(ROOT / "labs" / f"{lab.slug}.ipynb", 4).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    names: dict[str, list[str]] = {}
    for name, address in PAPER.findall(text):
        names.setdefault(address, []).append(" ".join(name.split()))
    return "\n".join(f"- [{', '.join(dict.fromkeys(each))}]({address})" for address, each in names.items())


def story(lab: Lab) -> str:
    """The opening of the notebook, up to how to work."""
    text = _opening(lab).partition("**How to work.**")[0]
    return re.sub(r"\A# .*\n+", "", text).strip()


def how_to_work(lab: Lab) -> str:
    """What the notebook says on how to work and how long it takes."""
    match = HOW_TO_WORK.search(_opening(lab))
    return match[1].strip() if match else ""


def promise(lab: Lab) -> str:
    """The first thing that a student has at the end, as one line."""
    match = re.search(r"^1\. (.*?)(?=^\d\. |\n\n|\Z)", story(lab), re.S | re.M)
    return " ".join(match[1].split()) if match else ""


def cover_alt(lab: Lab) -> str:
    """The alternative text of the lab's picture, as README has it."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    match = re.search(
        rf'!\[([^\]]+)\]\(docs/lab{lab.number}\.png\)|lab{lab.number}\.png" alt="([^"]+)"', readme
    )
    return (
        next(filter(None, match.groups())) if match else f"The main result of lab {lab.number}, {lab.title}"
    )


def _opening(lab: Lab) -> str:
    cells = nbformat.read(ROOT / "labs" / f"{lab.slug}.ipynb", 4).cells
    return str(
        next(cell.source for cell in cells if cell.cell_type == "markdown" and cell.source.startswith("# "))
    )


def notebook_page(lab: Lab) -> str:
    """The student's notebook as a page: buttons for the badge, the set-up folded."""
    notebook = nbformat.read(ROOT / "labs" / f"{lab.slug}.ipynb", 4)
    buttons = (
        f":::{{container}} lab-buttons\n[What this lab is about](lab{lab.number}.md) {_buttons(lab)}\n:::"
    )
    return nbformat.writes(_titled(_page(notebook, buttons), "# Notebook of lab"), 4)


def solution_pages(labs: Sequence[Lab]) -> Iterator[tuple[str, str]]:
    """The executed solutions, with a text for each picture."""
    for lab in labs:
        notebook = nbformat.read(ROOT / "solutions" / f"{lab.slug}.ipynb", 4)
        page = _page(notebook, "This page holds the answers: it is for instructors.")
        yield f"solutions/{lab.slug}.ipynb", nbformat.writes(_titled(page, "# Solution of lab"), 4)


def _titled(page: NotebookNode, start: str) -> NotebookNode:
    """The page with a heading that no other page of the lab has."""
    title = next(cell for cell in page.cells if cell.source.startswith("# "))
    title.source = title.source.replace("# Lab", start, 1)
    return page


def _page(notebook: NotebookNode, buttons: str) -> NotebookNode:
    section = ""
    cells = [cell for cell in notebook.cells if BADGE not in cell.source]
    first = next(i for i, cell in enumerate(cells) if cell.source.startswith("# "))
    heading, _, rest = cells[first].source.partition("\n")
    cells[first : first + 1] = [new_markdown_cell(f"{heading}\n\n{buttons}\n{rest}")]
    for cell in cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#+ (.+)$", cell.source, re.M)
            section = headings[-1] if headings else section
        elif is_setup(cell):
            cell.metadata["tags"] = [*cell.metadata["tags"], "hide-input"]
        else:
            alt = f"The picture that the code above draws, in the part “{section}”"
            cell.metadata["mystnb"] = {"image": {"alt": alt}}
    notebook.cells = cells
    notebook.metadata.pop("widgets", None)
    return notebook
