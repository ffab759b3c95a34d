"""Cloud pictures: projections, colours and merged points are checked by their numbers."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.colors import to_rgba

from efficientlab.viz.points import clouds as module
from efficientlab.viz.points.clouds import (
    EXTRA,
    clouds_by_part,
    draw_voxels,
    errors,
    label_colours,
    merged_points,
    seen_from,
    show_turnable,
    turnable,
)
from efficientlab.viz.points.grids import grid_curves, part_bars
from efficientlab.viz.style import CYCLE, RED

POINTS = torch.randn(3, 40, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_the_viewer_s_axes() -> None:
    front, near = seen_from(torch.eye(3), azimuth=0, elevation=0)  # from the tip of x
    assert torch.allclose(front, torch.tensor([[0.0, 1, 0], [0, 0, 1]]), atol=1e-6)
    assert torch.allclose(near, torch.tensor([1.0, 0, 0]), atol=1e-6)
    above, near = seen_from(torch.eye(3), azimuth=-90, elevation=90)
    assert torch.allclose(above, torch.tensor([[1.0, 0, 0], [0, 1, 0]]), atol=1e-6)
    place, near = seen_from(POINTS)
    assert torch.allclose((place**2).sum(0) + near**2, (POINTS**2).sum(0), atol=1e-4)


def test_parts_have_colours_by_rank_and_near_points_come_last() -> None:
    part = torch.tensor([[7] * 20 + [9] * 20])
    figure = clouds_by_part(POINTS[None], part, ["a"], columns=2)
    dots = figure.axes[0].collections[0]
    order = seen_from(POINTS)[1].argsort()
    expected = [to_rgba(CYCLE[int(i >= 20)]) for i in order]
    assert [tuple(c) for c in dots.get_facecolors()] == expected
    assert dots.get_offsets().shape == (40, 2)
    assert not figure.axes[1].get_visible()


def test_errors_are_red_and_counted() -> None:
    true = torch.zeros(40, dtype=torch.int64)
    wrong = true.clone()
    wrong[:5] = 3
    figure = errors(POINTS, true, {"right": true, "five wrong": wrong})
    titles = [ax.get_title(loc="left") or ax.get_title() for ax in figure.axes]
    assert titles == ["truth", "right", "five wrong", "", "0 of 40 wrong", "5 of 40 wrong"]
    dots = figure.axes[5].collections[0]
    assert sum(tuple(c) == to_rgba(RED) for c in dots.get_facecolors()) == 5


def test_merged_points_are_the_means_of_their_voxels() -> None:
    pairs = torch.tensor([[-1.0, -0.98, 1.0], [0, 0, 0], [0, 0, 0]])
    merged, count = merged_points(pairs, 4)
    assert count.tolist() == [2, 1]
    assert torch.allclose(merged[0], torch.tensor([-0.99, 1.0]))
    merged, count = merged_points(POINTS, 64)
    assert count.tolist() == [1] * 40
    assert torch.allclose(merged.sort(1).values, POINTS.sort(1).values, atol=1e-6)
    title = draw_voxels(POINTS, 1).axes[1].get_title()
    assert title.startswith("R = 1: 1 of 1 voxels\n0% of the points alone")


def test_without_a_front_end_a_still_picture_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    show_turnable(POINTS, torch.zeros(40, dtype=torch.int64), ["x"], "a")
    assert [type(s).__name__ for s in shown] == ["Figure"]
    assert isinstance(shown[0], plt.Figure)


def test_with_a_front_end_the_cloud_can_be_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, object]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, **how: shown.append(data))
    monkeypatch.setattr(module, "answered", lambda: True)
    monkeypatch.setattr("plotly.io.renderers.default", "plotly_mimetype")
    show_turnable(POINTS, torch.zeros(40, dtype=torch.int64), ["x"], "a")
    assert "application/vnd.plotly.v1+json" in shown[0]
    assert str(shown[0]["image/png"])[:4], "the still picture, for paper"
    part = torch.tensor([0] * 30 + [2] * 10)
    traces = turnable(POINTS, part, ["x", "y", "z"], "a").data
    assert [(t.name, len(t.x)) for t in traces] == [("x", 30), ("z", 10)]
    assert traces[1].z == pytest.approx(POINTS[2, 30:].numpy())
    assert traces[1].marker.color == CYCLE[2], "the third name's colour, though the second does not occur"


def test_labels_have_one_colour_each_while_the_colours_last() -> None:
    part = torch.tensor([7, 9])
    few, many = ([str(i) for i in range(count)] for count in (10, 50))
    assert [tuple(c) for c in label_colours(part, few)] == [to_rgba(EXTRA[0]), to_rgba(EXTRA[2])]
    assert [tuple(c) for c in label_colours(part, many)] == [to_rgba(CYCLE[0]), to_rgba(CYCLE[1])]


def test_curves_and_bars_show_their_numbers() -> None:
    rows = [{"alone": 0.1, "occupied": 0.5, "bytes": 2e6}, {"alone": 0.4, "occupied": 0.1, "bytes": 16e6}]
    axes = grid_curves([8, 16], {"a": rows, "b": rows[::-1]}).axes
    assert [line.get_ydata().tolist() for line in axes[0].lines] == [[0.1, 0.4], [0.4, 0.1]]
    assert axes[1].lines[0].get_ydata().tolist() == [0.5, 0.1]
    assert len({line.get_marker() for line in axes[0].lines}) == 2  # told apart without their colours
    assert axes[2].lines[0].get_ydata().tolist() == [2, 16]
    bars = part_bars({"p": [0.1, 0.2], "q": [0.3, 0.4]}, ["a x", "b y"]).axes[0].patches
    assert [bar.get_height() for bar in bars] == [0.1, 0.2, 0.3, 0.4]
