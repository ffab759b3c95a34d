"""JupyterLab as students open it: hints unfold, formulas are set, controls move their picture, which is saved."""

from __future__ import annotations

import ast
import base64
import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from widgets import SHARED, WIDGETS

from efficientlab.environment import ROOT

pytestmark = pytest.mark.slow

EXPLORED = SHARED + WIDGETS["lab4 draw_shift"]
KNOB = """
import torch
from efficientlab.models.gan.anycost.configs import UNIFORM
from efficientlab.models.gan.anycost.pretrained import load_anycost_flexible
from efficientlab.viz.gan.knob import Budget, Knob
edit = {"hair": torch.ones(64)}
Knob(load_anycost_flexible(), edit, {"16 px": Budget(UNIFORM[0], 16)}, lambda config, size: size).show()
"""
BARS = """
from efficientlab.frontend import progress_bar
with progress_bar(3, "step") as bar:
    bar.update(3)
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[tuple[str, Path]]:
    """A JupyterLab of its own on a folder with lab 4 and some short notebooks: its address and the folder."""
    folder = tmp_path_factory.mktemp("jupyter")
    notebook = nbformat.read(ROOT / "labs" / "lab4_tsm.ipynb", 4)
    nbformat.write(notebook, folder / "lab.ipynb")
    for name, source in (("explore", EXPLORED), ("knob", KNOB), ("bars", BARS)):
        short = new_notebook(cells=[new_code_cell(source.strip())], metadata=notebook.metadata)
        nbformat.write(short, folder / f"{name}.ipynb")
    cells = [new_code_cell(source.strip()) for source in (SHARED, *WIDGETS.values())]
    nbformat.write(new_notebook(cells=cells, metadata=notebook.metadata), folder / "widgets.ipynb")
    settings = folder / "c" / "lab" / "user-settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": "none"}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        "--ip=127.0.0.1",
    ]
    command += ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", "--LabApp.news_url=None"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder / "c"),
    }
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(1200):
            assert server.poll() is None, (folder / "log").read_text()
            try:
                urllib.request.urlopen(f"{address}/api", timeout=5)
                break
            except OSError:
                time.sleep(0.1)
        yield address, folder
    finally:
        server.terminate()
        server.wait(60)


def open_notebook(opened: Any, address: str, name: str) -> Any:
    opened.page.goto(f"{address}/lab/tree/{name}?reset")
    opened.page.wait_for_selector(".jp-Notebook .jp-Cell")
    opened.page.wait_for_selector("#jp-main-statusbar >> text=/Idle/")  # the kernel is there
    return opened.page


def run_first_cell(page: Any) -> None:
    page.click(".jp-Notebook .jp-CodeCell .cm-content")
    page.keyboard.press("Control+Enter")


def test_hints_unfold_and_formulas_are_set(lab: tuple[str, Path], window: Callable[..., Any]) -> None:
    address, _ = lab
    opened = window(address)
    page = open_notebook(opened, address, "lab.ipynb")
    hint = page.locator(".jp-RenderedMarkdown details").first
    hint.scroll_into_view_if_needed()
    before = hint.bounding_box()["height"]
    hint.locator("summary").click()
    assert hint.bounding_box()["height"] > before
    page.wait_for_selector(".jp-RenderedMarkdown mjx-container")
    assert page.locator("mjx-merror").count() == 0


def test_controls_move_the_picture_and_a_saved_notebook_keeps_it(
    lab: tuple[str, Path], window: Callable[..., Any]
) -> None:
    address, folder = lab
    page = open_notebook(window(address), address, "explore.ipynb")
    run_first_cell(page)
    picture = page.locator(".jp-OutputArea img")
    picture.wait_for()
    words = page.locator(".jp-OutputArea select")
    slider = page.locator(".jp-OutputArea .noUi-handle")
    slider.wait_for()
    for move in (lambda: words.select_option("past only"), lambda: slider.press("ArrowRight")):
        before = picture.get_attribute("src")
        move()
        wait_for_another(picture, before, "the shift")
        assert picture.count() == 1, "one picture, not one below the other"
    last = picture.get_attribute("src").partition(",")[2]
    page.keyboard.press("Control+s")
    for _ in range(600):
        (cell,) = nbformat.read(folder / "explore.ipynb", 4).cells
        if cell.outputs:
            break
        time.sleep(0.1)
    controls, kept = cell.outputs
    assert controls.data["text/plain"] == "Controls: run this cell to move them."
    assert kept.data["image/png"].strip() == last.strip(), "as it was seen last"
    width = kept.metadata["image/png"]["width"]
    assert Image.open(_decoded(last)).width == pytest.approx(2 * width, abs=2), "for sharp screens"


def test_every_widget_of_the_labs_is_tried_here() -> None:
    drawn = []
    for source in sorted((ROOT / "solutions").glob("lab*.py")):
        for call in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "explore":
                draw = call.args[0].args[0] if isinstance(call.args[0], ast.Call) else call.args[0]
                drawn.append(f"{source.name[:4]} {ast.unparse(draw)}")
    assert drawn == list(WIDGETS)


def test_every_widget_moves_by_keyboard_and_by_mouse_in_a_narrow_window(
    lab: tuple[str, Path], window: Callable[..., Any]
) -> None:
    address, _ = lab
    opened = window(address, width=768)
    page = open_notebook(opened, address, "widgets.ipynb")
    page.keyboard.press("Control+b")  # the file browser takes a third of the window
    run_first_cell(page)
    for index, name in enumerate(WIDGETS, start=1):
        cell = page.locator(".jp-Notebook .jp-CodeCell").nth(index)
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        picture = cell.locator(".jp-OutputArea img")
        picture.wait_for()
        for handle in cell.locator(".noUi-handle").all():
            last = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
            before = picture.get_attribute("src")
            handle.press("ArrowLeft" if last else "ArrowRight")
            wait_for_another(picture, before, f"{name}, by the keyboard")
        for words in cell.locator("select").all():
            before = picture.get_attribute("src")
            words.select_option(index=1)
            wait_for_another(picture, before, f"{name}, by a word")
        rail, grip = (cell.locator(f".noUi-{part}").first for part in ("target", "handle"))
        middle = rail.bounding_box()["x"] + rail.bounding_box()["width"] / 2
        right = grip.bounding_box()["x"] > middle
        before = picture.get_attribute("src")
        rail.click(position={"x": 0 if right else rail.bounding_box()["width"] - 1, "y": 2})
        wait_for_another(picture, before, f"{name}, by the mouse")
        assert rail.bounding_box()["x"] + rail.bounding_box()["width"] <= 768, f"{name} leaves the window"
    assert opened.complaints == []


def wait_for_another(picture: Any, before: str, what: str) -> None:
    for _ in range(600):
        if picture.get_attribute("src") != before:
            return
        time.sleep(0.1)
    raise AssertionError(f"{what}: the picture stays as it was")


def test_the_knob_previews_at_once_and_paints_the_whole_when_it_rests(
    lab: tuple[str, Path], window: Callable[..., Any]
) -> None:
    address, _ = lab
    page = open_notebook(window(address), address, "knob.ipynb")
    run_first_cell(page)
    pictures = page.locator(".jp-OutputArea .widget-image")
    pictures.nth(1).wait_for()
    page.locator(".jp-RenderedImage img").wait_for()  # the still, which a saved notebook keeps
    preview, whole = (pictures.nth(i).get_attribute("src") for i in range(2))
    slider = page.locator(".jp-OutputArea .noUi-handle").first
    slider.press("ArrowRight")
    changed = "([i, old]) => document.querySelectorAll('.jp-OutputArea .widget-image')[i].src !== old"
    page.wait_for_function(changed, arg=[0, preview])
    page.wait_for_function(changed, arg=[1, whole])
    assert page.locator(".jp-OutputArea :text-matches('preview: .* ms')").count() == 1


def _decoded(png: str) -> io.BytesIO:
    return io.BytesIO(base64.b64decode(png))


def test_progress_bars_do_not_look_like_errors(lab: tuple[str, Path], window: Callable[..., Any]) -> None:
    address, _ = lab
    page = open_notebook(window(address), address, "bars.ipynb")
    run_first_cell(page)
    page.wait_for_selector(".jp-OutputArea-output:has-text('3/3')")
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
