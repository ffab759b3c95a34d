"""The two cells that every notebook starts with: the badge, and the set-up that only Colab needs.

Both name the repository of `pyproject.toml`, so that a fork changes it in one place and runs `efficientlab build`.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from efficientlab.environment import ROOT

BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
ON_COLAB = "https://colab.research.google.com/github"
SETUP_TAG = "setup"


def repository() -> str:
    """Owner and name of the repository on GitHub."""
    url: str = _project()["urls"]["Repository"]
    return url.removeprefix("https://github.com/").removesuffix("/")


def colab_url(slug: str) -> str:
    """Where Colab opens a lab's notebook."""
    return f"{ON_COLAB}/{repository()}/blob/main/labs/{slug}.ipynb"


def clone_command() -> str:
    """Fetches this version of the project; the folder to put it into is to be added."""
    project = _project()
    return f"git clone --depth 1 --branch v{project['version']} {project['urls']['Repository']}"


def with_repository(text: str) -> str:
    """A page whose links to Colab lead to this repository."""
    return re.sub(rf"{re.escape(ON_COLAB)}/[\w.-]+/[\w.-]+/", f"{ON_COLAB}/{repository()}/", text)


def setup_source() -> str:
    """Checks versions, installs what is missing on Colab, prints what it did; never touches torch or numpy."""
    project = _project()
    return f"""# Set-up. On Colab this installs efficientlab and nothing that it has already; elsewhere it only checks.
import importlib.util, subprocess, sys

class NotReady(Exception):
    def _render_traceback_(self):
        return [f"Not ready: {{self}}"]

def version(name):
    return tuple(int(part) for part in __import__(name).__version__.split("+")[0].split(".")[:2])

def lacks(name):
    try:
        return importlib.util.find_spec(name) is None
    except ModuleNotFoundError:
        return True

for name, least in {{"torch": (2, 6), "numpy": (1, 26), "matplotlib": (3, 8)}}.items():
    if version(name) < least:
        raise NotReady(f"{{name}} {{version(name)}} is too old; this lab needs {{least}} or newer.")
if lacks("efficientlab.exercises"):
    if "google.colab" not in sys.modules:
        raise NotReady("efficientlab is not installed in this kernel. In the folder above this notebook's folder, run: "
                       f"{{sys.executable}} -m pip install .   Then restart the kernel.")
    source = "git+{project["urls"]["Repository"]}@v{project["version"]}"
    light = ("safetensors", "pooch", "tqdm", "rich", "av", "lightning_utilities", "torchmetrics", "plotly")
    wanted = [source, *filter(lacks, light)]
    if subprocess.run([sys.executable, "-m", "pip", "install", "--no-deps", *wanted]).returncode:
        raise NotReady(f"pip could not install {{source}}; its message is above. Is that repository public, with this "
                       "tag, and GitHub within reach? Run this cell again to try once more.")
    sys.modules.pop("efficientlab", None)
    importlib.invalidate_caches()
    print("installed:", ", ".join(wanted))
import efficientlab, torch
device = "cuda" if torch.cuda.is_available() else "cpu"
print("efficientlab", efficientlab.__version__, "· torch", torch.__version__, "· device", device)"""


def badge_cell(slug: str) -> NotebookNode:
    """The Colab badge of a student notebook."""
    return new_markdown_cell(f"[![Open in Colab]({BADGE})]({colab_url(slug)})")


def setup_cell() -> NotebookNode:
    """The set-up, as a cell."""
    return new_code_cell(setup_source(), metadata={"tags": [SETUP_TAG], "cellView": "form"})


def is_setup(cell: NotebookNode) -> bool:
    return SETUP_TAG in cell.metadata.get("tags", [])


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project
