"""Every solution runs on Colab's versions, from an empty folder and installed by its own set-up cell.

`make test-colab` makes the environment first. The repository that the set-up cell names is fetched from this checkout:
its last commit, under the tag that the cell asks for. Real are the versions, the install and the run; the host, its GPU
and its front end are not there.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from efficientlab.authoring.colab import clone_command, is_setup
from efficientlab.environment import ROOT
from efficientlab.exercises.labs import MODULES, find_lab

PYTHON = ROOT / "build" / "colab" / "bin" / "python"
STAND_IN = Path(__file__).parent / "stand_in"
KERNEL = "import google.colab; from ipykernel.kernelapp import launch_new_instance; launch_new_instance()"

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="`make test-colab` makes the environment")


def git(*arguments: str | Path) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a kernel on Colab's versions that has no efficientlab yet."""
    *_, tag, url = clone_command().split()
    repository = tmp_path / "repository.git"
    git("clone", "--bare", ROOT, repository)
    git("-C", repository, "tag", "--force", tag)
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", tmp_path / "own"], check=True)
    (own,) = tmp_path.glob("own/lib/python*/site-packages")
    (colabs,) = PYTHON.parent.parent.glob("lib/python*/site-packages")
    (own / "colab.pth").write_text(
        f"{colabs}\n{STAND_IN}\n", encoding="utf-8"
    )  # its packages, pip among them
    spec = {
        "argv": [str(tmp_path / "own" / "bin" / "python"), "-c", KERNEL, "-f", "{connection_file}"],
        "display_name": "Colab",
        "language": "python",
        "env": {
            "PYTHONPATH": "",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.file://{repository}.insteadOf",
            "GIT_CONFIG_VALUE_0": url,
        },
    }
    folder = tmp_path / "jupyter" / "kernels" / "colab"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    return "colab"


@pytest.mark.slow
@pytest.mark.parametrize("number", MODULES)
def test_a_solution_runs_on_colabs_versions(number: int, kernel: str, tmp_path: Path) -> None:
    notebook = nbformat.read(ROOT / "solutions" / f"{find_lab(number).slug}.ipynb", 4)
    content = tmp_path / "content"
    content.mkdir()
    client = NotebookClient(
        notebook, kernel_name=kernel, timeout=3600, resources={"metadata": {"path": str(content)}}
    )
    client.execute()  # raises what a cell raised
    (setup,) = (cell for cell in notebook.cells if is_setup(cell))
    said = "".join(output.get("text", "") for output in setup.outputs)
    assert "installed: git+" in said
    assert "torch 2.11.0" in said
