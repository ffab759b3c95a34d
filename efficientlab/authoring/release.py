"""What students get: a lab, the modules that it uses, its data and its recorded cases; nothing that answers it.

The package is cut down to what the lab's notebook imports, and what that imports. A module that holds a reference of
an exercise, as `kernels` does for many, is therefore not in the bundle unless the lab hands it out. The bundle is
then searched for the distinctive lines of the solution, of the mark schemes and of the lab's right answers in
`tests/alternatives`. If an answer is found in a notebook, in a text or among the data, nothing is released; where a
module that the lab uses holds lines of one, a line says so.
"""

from __future__ import annotations

import ast
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat

from efficientlab.authoring import classroom
from efficientlab.authoring.build import source_path, stale
from efficientlab.datasets.files import data_root
from efficientlab.environment import ROOT
from efficientlab.exercises import borrow
from efficientlab.exercises.goldens import FOLDER as GOLDENS
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import MODULES
from efficientlab.files import write_text
from efficientlab.grading.reading.statements import bound_names

FILES = ("LICENSE", "pyproject.toml", "constraints.txt")
ALWAYS = (
    "efficientlab",
    "efficientlab.exercises",
    "efficientlab.exercises.labs",
    "efficientlab.exercises.profile",
)
DISTINCTIVE = 20  # characters that a line of code must have to be searched for

README = """# Lab {number} · {title}

On Linux and macOS, in this folder:

```sh
python3 -m venv .venv
.venv/bin/python -m pip install --constraint constraints.txt .
.venv/bin/python -m jupyterlab labs/{slug}.ipynb
```

On Windows, in this folder:

```bat
py -m venv .venv
.venv\\Scripts\\python -m pip install --constraint constraints.txt .
.venv\\Scripts\\python -m jupyterlab labs/{slug}.ipynb
```

Needs Python 3.11 or newer. Read, write the code of an exercise, run the check below it; a check says what is wrong and
where. Hand in the notebook with your name in the file's name, as your course asks.
"""


class ReleaseError(Exception):
    """The bundle cannot be made; the message says why and what to do."""


def release(lab: Lab, out: Path, lend: bool = False) -> list[str]:
    """Write the bundle of `lab` to the new folder `out`; return a line for each part of it.

    With `lend`, the bundle holds the answers that `lab.borrow` hands out for no points: packed, but whoever looks for
    them finds them. Without it, `lab.borrow` says that this course lends none.

    Raises `ReleaseError` where the lab is not built, `out` exists, or something in the bundle answers an exercise.
    """
    if lab.draft:
        raise ReleaseError(f"lab {lab.number} is a draft; take `draft=True` from its Lab when it is ready.")
    if out.exists():
        raise ReleaseError(f"{out} is there already; name a new folder.")
    if problems := stale(lab):
        raise ReleaseError(f"{problems[0]}; run: efficientlab build {lab.number}")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as part:
        bundle = Path(part) / "bundle"
        bundle.mkdir(mode=0o755)
        lines = _fill(bundle, lab)
        found = leaks(bundle, lab)
        used = [line for line in found if line.startswith("efficientlab/")]
        if other := [line for line in found if line not in used]:
            raise ReleaseError(
                f"the bundle would give answers away, so it was not made: {'; '.join(other[:5])}"
            )
        lines += [f"{line}, as in an answer; the lab uses this module" for line in used]
        lines += [
            f"{line}, which the lab uses; an answer that imports it is reported"
            for line in namesakes(bundle, lab)
        ]
        if lend:
            lent = borrow.FOLDER / f"{lab.slug}.json"
            _copy(lent, bundle / lent.relative_to(ROOT))
            lines.append(
                f"{lent.relative_to(ROOT).as_posix()}: packed answers, which `lab.borrow` hands out for no points"
            )
        bundle.replace(out)
    return [f"{out}: {line}" for line in lines]


def _fill(bundle: Path, lab: Lab) -> list[str]:
    notebook = ROOT / "labs" / f"{lab.slug}.ipynb"
    _copy(notebook, bundle / "labs" / notebook.name)
    modules = modules_of(lab)
    for module in sorted(modules):
        path = _file_of(module)
        assert path is not None
        _copy(path, bundle / path.relative_to(ROOT))
    for room in (bundle / "efficientlab").rglob("*/"):
        if not (room / "__init__.py").exists():  # the room itself is not asked for, so it offers nothing
            (room / "__init__.py").write_text("", encoding="utf-8")
    goldens = GOLDENS / f"{lab.slug}.safetensors"
    _copy(goldens, bundle / goldens.relative_to(ROOT))
    shutil.copytree(data_root(), bundle / "data", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for name in FILES:
        _copy(ROOT / name, bundle / name)
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    # the command's verbs are not in a bundle
    without_command = re.sub(r"\[project\.scripts\]\n(?:[^\[\n].*\n|\n)*", "", pyproject)
    (bundle / "pyproject.toml").write_text(without_command, encoding="utf-8")
    write_text(bundle / classroom.PLACE, classroom.workflow(lab))
    text = README.format(number=lab.number, title=lab.title, slug=lab.slug)
    (bundle / "README.md").write_text(text, encoding="utf-8")
    return [
        f"labs/{notebook.name}",
        f"{len(modules)} modules of efficientlab, all that the lab uses",
        f"the recorded cases, the data, {', '.join(FILES)} and a README",
        f"{classroom.PLACE}, for GitHub Classroom",
        f"searched for the lines of {len(answers_of(lab))} answers; none is in the notebook, the texts and the data",
    ]


def modules_of(lab: Lab) -> set[str]:
    """The modules that a lab's notebook uses, directly or not, also inside functions and by name in a string."""
    notebook = nbformat.read(ROOT / "labs" / f"{lab.slug}.ipynb", 4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    waiting = {*ALWAYS, MODULES[lab.number], *(m for cell in cells for m in _mentioned(cell))}
    others = set(MODULES.values()) - {MODULES[lab.number]}  # the table of labs names them
    found: set[str] = set()
    while waiting:
        module = waiting.pop()
        path = _file_of(module)
        if path is None or module in found | others:
            continue
        found.add(module)
        package = module if path.name == "__init__.py" else module.rsplit(".", 1)[0]
        waiting |= set(_mentioned(path.read_text(encoding="utf-8"), package))
    return found


def _mentioned(source: str, package: str = "") -> Iterator[str]:
    """Modules of efficientlab that a source in `package` imports, or names in a string that is no docstring."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""  # a docstring may speak of any module
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("efficientlab"))
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            if module.startswith("efficientlab"):
                yield from (module, *(f"{module}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"efficientlab(?:\.[a-z_]\w*)+", node.value)


def _file_of(module: str) -> Path | None:
    path = ROOT / Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def leaks(bundle: Path, lab: Lab) -> list[str]:
    """The files of `bundle` that hold two distinctive lines of one answer to `lab`, or its only one."""
    answers = answers_of(lab)
    found = []
    for path in sorted(bundle.rglob("*")):
        if path.suffix not in (".py", ".ipynb", ".md", ".toml", ".txt", ".json"):
            continue
        lines = {_bare(line) for line in _lines(path)}
        for answer in answers:
            if len(answer & lines) >= min(2, len(answer)):
                held = " and ".join(sorted(answer & lines)[:2])
                found.append(f"{path.relative_to(bundle).as_posix()} holds {held}")
    return found


def namesakes(bundle: Path, lab: Lab) -> list[str]:
    """The modules of `bundle` that define what an exercise asks for: the lab uses them, so they must be in it."""
    names = {exercise.check.name for exercise in lab.exercises if exercise.check}
    return [
        f"{path.relative_to(bundle).as_posix()} defines {name}"
        for path in sorted(bundle.rglob("*.py"))
        for name in sorted(names & {n for node in _top_level(path) for n in bound_names(node)})
    ]


def _top_level(path: Path) -> list[ast.stmt]:
    return ast.parse(path.read_text(encoding="utf-8")).body


def answers_of(lab: Lab) -> list[frozenset[str]]:
    """The distinctive lines of each answer: the solution's, the mark schemes, those in `tests/alternatives`.

    Imports, short lines, and what the lab hands out itself, such as a signature, tell nothing and are left out.
    """
    source = source_path(lab).read_text(encoding="utf-8")
    texts = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", source, re.S)
    texts += [
        re.sub(r"^# ?", "", text, flags=re.M)
        for text in re.findall(r'answer="[\d.]+"\n(.*?=== END MARK SCHEME ===)', source, re.S)
    ]
    alternatives = ROOT / "tests" / "alternatives" / f"lab{lab.number}"
    texts += [path.read_text(encoding="utf-8") for path in sorted(alternatives.glob("*.py"))]
    handed_out = {_bare(line) for line in _lines(ROOT / "labs" / f"{lab.slug}.ipynb")}
    answers = [
        frozenset(
            _bare(line) for line in text.splitlines() if not line.lstrip().startswith(("import ", "from "))
        )
        for text in texts
    ]
    distinctive = [
        frozenset(line for line in lines - handed_out if len(line) >= DISTINCTIVE) for lines in answers
    ]
    return [lines for lines in distinctive if lines]


def _bare(line: str) -> str:
    """A line of code without its spaces and its comment, so that reformatting hides nothing."""
    return re.sub(r"\s+|(?:  #|^#).*", "", line)


def _lines(path: Path) -> Iterable[str]:
    if path.suffix == ".ipynb":
        return [line for cell in nbformat.read(path, 4).cells for line in cell.source.splitlines()]
    return path.read_text(encoding="utf-8").splitlines()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
