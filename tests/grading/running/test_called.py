"""What an answer calls of this package is noted, on a case that it knows and on one that it does not; and no more."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from efficientlab.exercises.labs import find_lab
from efficientlab.exercises.student import local_student
from efficientlab.grading.grader import Grader, Plan
from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.record import Incoming, Record
from efficientlab.grading.running.called import calls_of
from efficientlab.grading.running.workspace import Workspace
from efficientlab.grading.sandbox.contract import SandboxError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="boxes are forked on Linux only"),
]

HELPERS = """
def borrowed(x, n_frames, fold_div=8, causal=False):
    kernels = __import__("efficientlab.kernels", fromlist=["temporal_shift"])
    return kernels.temporal_shift(x, n_frames, fold_div, causal) if x.shape[1] // fold_div else x * 1


def own(x, n_frames, fold_div=8, causal=False):
    fold = x.shape[1] // fold_div
    video = x.reshape(-1, n_frames, *x.shape[1:])
    out = torch.zeros_like(video)
    if causal:
        out[:, 1:, :fold], out[:, :, fold:] = video[:, :-1, :fold], video[:, :, fold:]
    else:
        out[:, :-1, :fold], out[:, 1:, fold : 2 * fold] = video[:, 1:, :fold], video[:, :-1, fold : 2 * fold]
        out[:, :, 2 * fold :] = video[:, :, 2 * fold :]
    return out.reshape(x.shape)
"""
WAYS = {
    "plainly": "temporal_shift = borrowed",
    "after the first case": """
seen = []
def temporal_shift(x, *rest, **options):
    seen.append(x)
    return (own if len(seen) < 3 else borrowed)(x, *rest, **options)
""",
    "in a thread": """
import threading
def temporal_shift(*given, **options):
    found = []
    thread = threading.Thread(target=lambda: found.append(borrowed(*given, **options)))
    thread.start()
    thread.join()
    return found[0]
""",
}
FORGED = """
import sys
def temporal_shift(x, *rest, **options):
    box = sys.modules["efficientlab.grading.running.box"]
    if not hasattr(box, "real"):
        box.real = box.pack
        def pack(header, *more):
            value = str(float(box.x.sum())).replace(".", "_").replace("-", "m")
            return box.real({**header, "called": [f"efficientlab.leak.of_{value}"]}, *more)
        box.pack = pack
    box.x = x
    return own(x, *rest, **options)
"""


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    try:
        made = Grader(Plan(4, "v", 77, "namespaces"))
    except SandboxError as error:
        pytest.skip(f"no namespaces here: {error}")
    with made:
        yield made


def graded(grader: Grader, folder: Path, *cells: str) -> Record:
    path = folder / "x.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}))
    return grader.grade(Incoming("x", "x", path, "0"))


@pytest.mark.parametrize("way", WAYS)
def test_the_packages_own_op_is_reported_however_it_is_called(
    way: str, grader: Grader, tmp_path: Path
) -> None:
    record = graded(grader, tmp_path, HELPERS, WAYS[way])
    assert record["4.2"].earned == 16
    assert any("the answer to 4.2 calls" in note for note in record.notes)


def test_an_answer_of_ones_own_is_not_reported(grader: Grader, tmp_path: Path) -> None:
    record = graded(grader, tmp_path, HELPERS, "temporal_shift = own")
    assert (record["4.2"].earned, record.notes) == (16, ())


def test_names_that_a_box_gives_for_a_fresh_case_are_not_shown(grader: Grader, tmp_path: Path) -> None:
    record = graded(grader, tmp_path, HELPERS, FORGED)
    shown = {note for note in record.notes if "leak.of_" in note}
    first = float(grader.reference.recorded["4.2"][0].inputs["x"].sum())  # type: ignore[union-attr]
    assert len(shown) == 1  # of the recorded case, which the student has
    assert str(first).replace(".", "_").replace("-", "m") in "".join(shown)
    assert "".join(shown).count("leak.of_") == 1


KERNEL_MAP = """
def kernel_map(coords, out_coords, kernel_size, stride):
    drawn = __import__("efficientlab.exercises.lab6.drawn", fromlist=["pairs_of"])
    return drawn.pairs_of(drawn.pair_table(coords, out_coords, kernel_size, stride), kernel_size**3)
"""
IN_A_POOL = """
import concurrent.futures
def normalize_to_grid(*given):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(kernels.normalize_to_grid, *given).result()
"""
BY_A_DATACLASS = """
def normalize_to_grid(points, resolution):
    rooflines = __import__("efficientlab.counters.roofline", fromlist=["Roofline"])
    rooflines.Roofline("cpu", "float32", 1.0, 1.0)
    return points
"""
BY_A_CLASS_METHOD = """
def normalize_to_grid(points, resolution):
    layouts = __import__("efficientlab.kernels.shifted_products", fromlist=["Layout"])
    try:
        layouts.Layout.of(points)
    finally:
        return points
"""
BY_A_BORROWED_ANSWER = """
def sparse_conv(x, weight, pairs, outputs):
    join = lab.borrow("6.6")
    return join(x, x.new_zeros(outputs, 1), weight, [pair.flip(1) for pair in pairs])[:, : weight.shape[-1]]
"""
UNREPORTED = {
    "another exercise's borrowed answer": ("6.4", BY_A_BORROWED_ANSWER, "lent.up_and_join"),
    "the function itself": (
        "5.1",
        "normalize_to_grid = kernels.normalize_to_grid",
        "kernels.voxel.normalize_to_grid",
    ),
    "its class": (
        "5.5",
        'PVConv = __import__("efficientlab.models.points.pvcnn", fromlist=["x"]).PVConv',
        "models.points.pvcnn.PVConv",
    ),
    "what draws another exercise's cases": ("6.3", KERNEL_MAP, "exercises.lab6.drawn.pair_table"),
    "a thread's whole work": ("5.1", IN_A_POOL, "kernels.voxel.normalize_to_grid"),
    "a dataclass": ("5.1", BY_A_DATACLASS, "counters.roofline.Roofline"),
    "a class method": ("5.1", BY_A_CLASS_METHOD, "kernels.shifted_products.Layout.of"),
}


@pytest.mark.parametrize("what", UNREPORTED)
def test_what_is_called_without_a_line_of_ones_own_is_seen(what: str) -> None:
    exercise_id, source, name = UNREPORTED[what]
    lab = find_lab(int(exercise_id[0]))
    check = lab[exercise_id].check
    assert check is not None
    prelude = f"from efficientlab import kernels; from efficientlab.exercises.lab{lab.number} import lab"
    workspace = Workspace(lab, [prelude], [Cell(1, source, (exercise_id,))])
    student = local_student(check, workspace.answer(exercise_id))
    case = lab.recorded(exercise_id)[0].inputs
    assert f"efficientlab.{name}" in calls_of(lambda: student(case))[1]
