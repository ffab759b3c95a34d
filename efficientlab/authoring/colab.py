"""The two cells that every notebook starts with: the badge, and the set-up that only Colab needs."""

from __future__ import annotations

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from efficientlab import __version__

REPOSITORY = "efficientlab/efficientlab"

SETUP = f"""# Set-up. On Colab this installs efficientlab and nothing that Colab already has; elsewhere it only checks.
import importlib.util, subprocess, sys

def version(name):
    return tuple(int(part) for part in __import__(name).__version__.split("+")[0].split(".")[:2])

for name, least in {{"torch": (2, 6), "numpy": (1, 26), "matplotlib": (3, 8)}}.items():
    if version(name) < least:
        raise SystemExit(f"{{name}} {{version(name)}} is too old; this lab needs {{least}} or newer.")
if importlib.util.find_spec("efficientlab") is None:
    if "google.colab" not in sys.modules:
        raise SystemExit("efficientlab is not installed in this kernel; from the repository run: make lab")
    wanted = ["git+https://github.com/{REPOSITORY}@v{__version__}"]
    light = ("safetensors", "pooch", "tqdm", "rich", "av", "lightning_utilities", "torchmetrics")
    wanted += [name for name in light if importlib.util.find_spec(name) is None]
    subprocess.run([sys.executable, "-m", "pip", "install", "--no-deps", *wanted], check=True)
    print("installed:", ", ".join(wanted))
import efficientlab, torch
device = "cuda" if torch.cuda.is_available() else "cpu"
print("efficientlab", efficientlab.__version__, "· torch", torch.__version__, "· device", device)"""


def badge_cell(slug: str) -> NotebookNode:
    """The Colab badge of a student notebook."""
    url = f"https://colab.research.google.com/github/{REPOSITORY}/blob/main/labs/{slug}.ipynb"
    image = "https://colab.research.google.com/assets/colab-badge.svg"
    return new_markdown_cell(f"[![Open in Colab]({image})]({url})")


def setup_cell() -> NotebookNode:
    """Checks versions, installs what is missing on Colab, prints what it did; never touches torch or numpy."""
    return new_code_cell(SETUP, metadata={"tags": ["setup"], "cellView": "form"})
