"""Execute a notebook, with progress, and make its outputs small and repeatable."""

from __future__ import annotations

import base64
import io
import os
import time
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from tqdm.auto import tqdm

CELL_SECONDS = 3600  # only what hangs: a busy machine may take ten times as long as a quiet one
COLOURS = 96  # of a picture's palette; plots keep their look and lose two thirds of their bytes


def execute(notebook: NotebookNode, folder: Path, cell_seconds: int = CELL_SECONDS) -> float:
    """Run every cell in place in the `ci` profile, in `folder`, with so much time each; return the seconds it took.

    Raises `RuntimeError` with the cell's number and error if one fails.
    """
    wanted = {"EFFICIENTLAB_PROFILE": "ci", "EFFICIENTLAB_KEEP": "no"}  # what is shown was trained for it
    previous = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    start = time.perf_counter()
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    client = NotebookClient(
        notebook,
        timeout=cell_seconds,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        with client.setup_kernel(), tqdm(code, desc="cells", unit="cell") as bar:
            for index in bar:
                client.execute_cell(notebook.cells[index], index)
    except CellExecutionError as error:
        raise RuntimeError(
            f"cell {index + 1} failed: {error.ename}: {error.evalue}\n{error.traceback}"
        ) from None
    finally:
        for name, value in previous.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return time.perf_counter() - start


def tidy_outputs(notebook: NotebookNode) -> None:
    """Drop timings and progress bars from what is stored, and give pictures a palette."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.outputs = [o for o in cell.outputs if not (o.output_type == "stream" and o.name == "stderr")]
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                data["image/png"] = _with_palette(data["image/png"])
    notebook.metadata.pop("widgets", None)


def _with_palette(png: str) -> str:
    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    out = io.BytesIO()
    # The median cut, PIL's default, merges colours that few pixels have: a legend's red and pink become one.
    coverage = Image.Quantize.MAXCOVERAGE
    picture.quantize(COLOURS, coverage, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    small = base64.b64encode(out.getvalue()).decode()
    return min(png, small, key=len)
