"""Pages for instructors and contributors: those of `docs/`, teaching notes from the exercises, the house's map."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from efficientlab.authoring.colab import repository
from efficientlab.authoring.site.labs import core_minutes, exercise_table, minutes, story
from efficientlab.authoring.site.rooms import ROOMS
from efficientlab.environment import ROOT
from efficientlab.exercises.contract import Exercise
from efficientlab.exercises.lab import Lab

KINDS = {
    "build": "write a function or a class, checked at once",
    "predict": "lock a number, measure it, explain the difference",
    "investigate": "answer in words, read by a person",
    "kernel": "a bonus: the lab's operator as a Triton kernel",
}


def pages(labs: Sequence[Lab], solutions: bool) -> Iterator[tuple[str, str]]:
    """Names and texts of the pages for instructors and contributors."""
    yield "instructors/grading.md", _linked((ROOT / "docs" / "instructors.md").read_text(encoding="utf-8"))
    yield (
        "instructors/threat-model.md",
        _linked((ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")),
    )
    for lab in labs:
        yield f"instructors/lab{lab.number}.md", teaching_notes(lab, solutions)
    names = ["grading", "threat-model", *(f"lab{lab.number}" for lab in labs)]
    names += [f"../solutions/{lab.slug}" for lab in labs] if solutions else []
    yield "instructors/index.md", INSTRUCTORS + plan(labs) + _toc(names)
    yield "contributors/guide.md", _linked((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    yield "contributors/house.md", house()
    yield "contributors/changes.md", _linked((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    yield "contributors/data.md", _linked(data_page(), "data/")
    yield "contributors/index.md", CONTRIBUTORS + _toc(["guide", "house", "data", "changes"])


def of_readme(heading: str) -> str:
    """What README says below a heading of the second level."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0].strip()


def citation() -> str:
    """CITATION.cff as an entry of BibTeX."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    fields = dict(re.findall(r'^([\w-]+): "?(.*?)"?$', text, re.M))
    names = re.findall(r"^ +- name: (.*)$", text, re.M)
    entry = {
        "title": fields["title"],
        "author": " and ".join(f"{{{name}}}" for name in names),
        "version": fields["version"],
        "url": fields["repository-code"],
    }
    lines = ",\n".join(f"  {key} = {{{value}}}" for key, value in entry.items())
    return f"@software{{efficientlab,\n{lines}\n}}"


INSTRUCTORS = """# For instructors

From a clone to grades, what the grader promises, and for each lab the lecture before, questions at the desk with
answers, and what goes wrong.

"""

CONTRIBUTORS = """# For contributors

How to write a lab, where everything is, where the data comes from, and what has changed.

"""


def _toc(names: Sequence[str]) -> str:
    return "```{toctree}\n:maxdepth: 1\n\n" + "\n".join(names) + "\n```\n"


def _linked(text: str, folder: str = "") -> str:
    """A page of `folder` whose links into the repository lead to GitHub, but for those that are pages here."""
    here = {
        "docs/instructors.md": "../instructors/grading.md",
        "docs/threat-model.md": "../instructors/threat-model.md",
    }

    def link(match: re.Match[str]) -> str:
        target = folder + match[1]
        return f"]({here.get(target) or f'https://github.com/{repository()}/blob/main/{target}'})"

    return re.sub(r"\]\((?!https?:|#)([^)\s]+)\)", link, text)


def data_page() -> str:
    """data/README.md; of the table of files, what fits a page: file, what and licence."""
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    before, table, after = re.split(r"<!-- (?:table: .*|end of table) -->\n", text)
    cells = [line.split(" | ") for line in table.splitlines() if line[:4] != "|---"]
    rows = [
        f"{file} | {what} | {licence} |" for file, what, _, licence, *_ in cells[:-1]
    ]  # but for their sum
    return before + "\n".join([rows[0], "|---|---|---|", *rows[1:]]) + "\n" + after


def plan(labs: Sequence[Lab]) -> str:
    """A line a lab: how long it is, and how many of its points a person gives."""
    rows = [
        f"| [{lab.number} · {lab.title}](lab{lab.number}.md) | {core_minutes(lab)} | {minutes(lab)} "
        f"| {sum(e.points for e in lab.exercises if e.check is None)} |"
        for lab in labs
    ]
    return "\n".join([PLAN, *rows]) + "\n\n"


PLAN = """## A plan

Each lab has 100 points and a bonus, and can be done without the others; lab 0 makes the meters that they use, so begin
with it. The core path ends with a lab's headline result and fits a session of 90 minutes with reading and the runs;
all exercises fill two.

| lab | core path, minutes | all exercises | points read by a person |
|---|---:|---:|---:|"""


def teaching_notes(lab: Lab, solutions: bool) -> str:
    """What an instructor wants to know before a lab: story, minutes, `docs/teaching/labN.md`, the slips by name.

    Answers to the questions that a person reads are among the solutions.
    """
    bonus = sum(e.minutes for e in lab.exercises if e.bonus)
    kinds = "\n".join(
        f"- **{kind}**: {what}" for kind, what in KINDS.items() if any(e.kind == kind for e in lab.exercises)
    )
    notes = (ROOT / "docs" / "teaching" / f"lab{lab.number}.md").read_text(encoding="utf-8")
    if not solutions:
        notes = re.sub(r"^## Reading the written answers\n.*?(?=^## )", "", notes, flags=re.M | re.S)
    parts = [
        f"# Teaching lab {lab.number} · {lab.title}\n\n{story(lab)}\n",
        f"## Time\n\nThe core path takes about {core_minutes(lab)} minutes with reading and the runs. "
        f"All exercises are meant to take {minutes(lab)} minutes"
        + (f", the bonus {bonus} more" if bonus else "")
        + f"; reading and the runs come on top.\n\n{exercise_table(lab)}\n\n{kinds}\n",
        _linked(notes, "docs/teaching/"),
        "## What goes wrong\n\nEach sentence is one that a check says to a student whose answer shows this slip: "
        "a list to look a sentence up in, and questions for the lecture before.\n",
        *(_slips(lab, exercise) for exercise in lab.exercises if exercise.check),
    ]
    return "\n".join(parts)


def _slips(lab: Lab, exercise: Exercise) -> str:
    sentences = sorted({slip for case in lab.recorded(exercise.id) for slip in case.slips})
    if not sentences:
        return ""
    lines = "\n".join(f"- {_sentence(sentence)}" for sentence in sentences)
    title = f"{exercise.id} · {exercise.title}: {len(sentences)} slip{'s' * (len(sentences) > 1)}"
    return f"<details><summary>{title}</summary>\n\n{lines}\n\n</details>\n"


def _sentence(text: str) -> str:
    """With a capital, unless it begins with a name of the code."""
    if re.match(r"[a-z]+[\s,:;’']", text):
        text = text[0].upper() + text[1:]
    return " ".join(text.replace("*", r"\*").replace("$", r"\$").split())


def house() -> str:
    """Every room of the package with its files, each by the first sentence of its docstring."""
    package = ROOT / "efficientlab"
    parts = [
        "# The map of the house\n\nImports run one way, from a room to those below it in this list: "
        "nothing is imported from above.\n"
    ]
    for room in ROOMS:
        folder = package / room
        files = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
        rows = [
            f"| `{path.relative_to(package).as_posix()}` | {_first(path)} |" for path in files if _first(path)
        ]
        parts.append(f"## {room}\n\n| file | what it is |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _first(path: Path) -> str:
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    line = " ".join(doc.split("\n\n")[0].split())
    return line.replace("|", r"\|").replace("$", r"\$").replace("*", r"\*").replace("<", "&lt;")
