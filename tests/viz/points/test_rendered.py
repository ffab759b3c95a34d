"""The lit picture: what Open3D is given and shows, and that its failures cost the student one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgb, to_rgba

from efficientlab.viz.points import rendered
from efficientlab.viz.points.clouds import seen_from
from efficientlab.viz.points.offscreen import CORNERS, LIGHT, discs
from efficientlab.viz.points.rendered import cloud_picture
from efficientlab.viz.style import CYCLE

POINTS = torch.randn(3, 40, generator=torch.Generator().manual_seed(0))
PARTS = torch.tensor([3] * 20 + [8] * 20)

PLAIN_RENDERER = """
import sys
import numpy as np

given = np.load(sys.argv[1] + "/cloud.npz")
(width, height), (left, right, bottom, top) = given["size"], given["frame"]
picture = np.full((height, width, 3), 255, np.uint8)
for i in given["seen"][:, 2].argsort():  # one pixel a point, the nearest last
    x, y, _ = given["seen"][i]
    column, row = int((x - left) / (right - left) * width), int((top - y) / (top - bottom) * height)
    picture[row, column] = np.rint(255 * given["colours"][i])
np.save(sys.argv[1] + "/picture.npy", picture)
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing has failed before, and no figure is left open."""
    monkeypatch.setattr(rendered, "_failed", False)
    yield
    plt.close("all")


@pytest.fixture
def without_open3d(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered, "find_spec", lambda name: None)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A script to be run in the place of Open3D's."""
    script = tmp_path / "stand_in.py"
    monkeypatch.setattr(rendered, "find_spec", lambda name: object())
    monkeypatch.setattr(rendered, "RENDERER", script)
    return script


@pytest.mark.usefixtures("without_open3d")
def test_without_open3d_the_points_are_drawn_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    figure = cloud_picture(POINTS, PARTS, "a cloud", azimuth=10, elevation=50)
    assert capfd.readouterr() == ("", "")
    [ax] = figure.axes
    assert ax.get_title(loc="left") + ax.get_title() == "a cloud"
    [dots] = ax.collections
    place, nearness = seen_from(POINTS, 10, 50)
    order = nearness.argsort()
    np.testing.assert_allclose(dots.get_offsets(), place[:, order].T, rtol=1e-6)
    assert [tuple(c) for c in dots.get_facecolors()] == [to_rgba(CYCLE[int(i >= 20)]) for i in order]


@pytest.mark.usefixtures("without_open3d")
def test_values_have_a_scale_that_far_values_do_not_stretch() -> None:
    values = torch.linspace(0, 1, 1001)
    values[7] = 1e6
    cloud, bar = cloud_picture(torch.randn(3, 1001), values, "a").axes
    assert bar.get_ylim() == pytest.approx((0.01, 0.99), abs=2e-3)
    assert len({tuple(c) for c in cloud.collections[0].get_facecolors()}) == len(rendered.STEPS)


@pytest.mark.usefixtures("without_open3d")
@pytest.mark.parametrize(
    "points", [torch.zeros(3, 1), torch.tensor([[0.0, 0], [0, 0], [0, 9]]), 1e3 * POINTS]
)
def test_every_cloud_has_a_picture_of_bounded_size_that_holds_it(points: torch.Tensor) -> None:
    figure = cloud_picture(points, torch.arange(points.shape[1]), "a")
    [ax] = figure.axes
    offsets = ax.collections[0].get_offsets()
    assert (offsets >= [ax.get_xlim()[0], ax.get_ylim()[0]]).all()
    assert (offsets <= [ax.get_xlim()[1], ax.get_ylim()[1]]).all()
    assert (figure.get_size_inches() <= np.add(rendered.LARGEST, (0.8, 0.4))).all()


@pytest.mark.parametrize(
    ("points", "colour_by", "sentence"),
    [
        (torch.zeros(2, 5), torch.zeros(5), r"points must be \(3, P\) with P ≥ 1; got \(2, 5\)"),
        (torch.zeros(3, 0), torch.zeros(0), r"points must be \(3, P\) with P ≥ 1; got \(3, 0\)"),
        (torch.zeros(3, 5), torch.zeros(3, 5), r"colour_by must be \(5,\), one a point; got \(3, 5\)"),
    ],
)
def test_wrong_shapes_are_named(points: torch.Tensor, colour_by: torch.Tensor, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        cloud_picture(points, colour_by, "a")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("raise RuntimeError('no driver')", "RuntimeError: no driver"),
        (
            "import os, sys; print('eglInitialize failed', file=sys.stderr, flush=True); os.abort()",
            "eglInitialize failed",
        ),
        ("import os; os._exit(7)", "its process ended with status 7"),
        ("import time; time.sleep(60)", "no picture after 2 s"),
    ],
    ids=["error", "abort", "exit", "hang"],
)
def test_a_renderer_that_fails_costs_one_line(
    script: str, why: str, stand_in: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stand_in.write_text(script)
    monkeypatch.setattr(rendered, "PATIENCE", 2.0 if "sleep" in script else 60.0)
    figure = cloud_picture(POINTS, PARTS, "a")
    said = f"Open3D cannot render pictures here ({why}), so matplotlib draws them.\n"
    assert capfd.readouterr() == (said, "")
    assert len(figure.axes[0].collections[0].get_offsets()) == 40


def test_a_renderer_that_has_failed_is_not_asked_again(
    stand_in: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stand_in.write_text("raise RuntimeError('no driver')")
    cloud_picture(POINTS, PARTS, "a")
    capfd.readouterr()
    stand_in.write_text(PLAIN_RENDERER)  # would work now
    figure = cloud_picture(POINTS, PARTS, "b")
    assert capfd.readouterr() == ("", "")
    assert len(figure.axes[0].collections[0].get_offsets()) == 40


def test_what_fails_with_a_screen_is_tried_on_the_processor(stand_in: Path) -> None:
    check = "import os; assert os.environ.get('EGL_PLATFORM') == 'surfaceless', 'eglInitialize failed'\n"
    stand_in.write_text(check + PLAIN_RENDERER)
    assert cloud_picture(POINTS, PARTS, "a").axes[0].images


def test_a_missing_vulkan_gets_a_remedy(stand_in: Path, capfd: pytest.CaptureFixture[str]) -> None:
    stand_in.write_text("raise RuntimeError('Failed to load vulkan library!')")
    cloud_picture(POINTS, PARTS, "a")
    assert "apt-get install libvulkan1 mesa-vulkan-drivers" in capfd.readouterr().out


def test_an_open3d_that_cannot_be_imported_costs_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "open3d.py").write_text("raise OSError('libGL.so.1: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(rendered, "find_spec", lambda name: object())
    cloud_picture(POINTS, PARTS, "a")
    assert "(OSError: libGL.so.1: cannot open shared object file)" in capfd.readouterr().out


def test_the_renderer_is_given_the_viewer_s_axes_and_its_pixels_are_shown(stand_in: Path) -> None:
    stand_in.write_text(PLAIN_RENDERER)
    [ax] = cloud_picture(POINTS, PARTS, "a", azimuth=10, elevation=50).axes
    [image] = ax.images
    left, right, bottom, top = image.get_extent()
    pixels = image.get_array()
    height, width, _ = pixels.shape
    assert (top - bottom) / (right - left) == pytest.approx(height / width, rel=0.01)
    place, nearness = seen_from(POINTS, 10, 50)
    nearest = int(nearness.argmax())
    x, y = place[:, nearest].tolist()
    shown = pixels[int((top - y) / (top - bottom) * height), int((x - left) / (right - left) * width)]
    np.testing.assert_array_equal(shown, np.rint(255 * np.array(to_rgb(CYCLE[int(nearest >= 20)]))))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_discs_lie_in_their_surface(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres, radius = rng.normal(size=(6, 3)), rng.uniform(0.1, 2, 6)
    normals = rng.normal(size=(6, 3))
    normals[0] = [1, 0, 0]  # along an axis
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    corners = discs(centres, normals, radius)
    assert corners.shape == (6, CORNERS, 3)
    out = corners - centres[:, None]
    np.testing.assert_allclose(np.linalg.norm(out, axis=2), radius[:, None].repeat(CORNERS, 1))
    np.testing.assert_allclose((out * normals[:, None]).sum(2), 0, atol=1e-12)
    np.testing.assert_allclose(corners.mean(1), centres, atol=1e-12)


def test_open3d_shows_the_front_in_its_colour_and_hides_what_is_behind(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A wall that faces the light, in the first colour, before the middle of a larger one in the second."""
    probe = "from open3d.visualization.rendering import OffscreenRenderer; OffscreenRenderer(16, 16)"
    if subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode:
        pytest.skip("Open3D is missing, or has no way to render here")
    light = torch.tensor(LIGHT).float()
    light /= light.norm()
    first = torch.linalg.cross(light, torch.tensor([0.0, 1, 0]))
    first /= first.norm()
    side = torch.linspace(-1, 1, 121)
    behind = torch.cartesian_prod(side, side) @ torch.stack(
        [first, torch.linalg.cross(light, first)]
    )  # (P, 3)
    front = 0.3 * behind + torch.tensor([0.0, 0, 1])
    place, nearness = seen_from(torch.eye(3))
    to_viewer = torch.cat([place, nearness[None]])  # (3, 3), a rotation
    part = torch.tensor([0] * len(front) + [1] * len(behind))
    figure = cloud_picture(to_viewer.T @ torch.cat([front, behind]).T, part, "a")
    assert capfd.readouterr() == ("", "")
    [image] = figure.axes[0].images
    pixels, (left, right, bottom, top) = image.get_array(), image.get_extent()

    def shown(x: float, y: float) -> list[int]:
        row, column = (top - y) / (top - bottom), (x - left) / (right - left)
        return pixels[int(row * pixels.shape[0]), int(column * pixels.shape[1])].tolist()

    blue, orange = ([round(255 * c) for c in to_rgb(colour)] for colour in CYCLE[:2])
    assert shown(0, 0) == pytest.approx(blue, abs=2)  # both walls have a point there
    assert shown(*(0.9 * behind[0, :2]).tolist()) == pytest.approx(orange, abs=2)
    assert pixels[2, 2].tolist() == [255, 255, 255]
