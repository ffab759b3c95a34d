"""Lab 1's pictures: each shows the data that it is given."""

from __future__ import annotations

import matplotlib as mpl
import pytest
import torch

mpl.use("Agg")
import matplotlib.pyplot as plt

from efficientlab.models.gan.pix2pix import Config, ResNetGenerator
from efficientlab.models.gan.super_student import SuperStudent
from efficientlab.viz.gan.translation import (
    picture_rows,
    player_losses,
    search_curves,
    search_scatter,
)
from efficientlab.viz.gan.translation_demo import edit, edited_drawing, width_explorer


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_rows_stand_side_by_side() -> None:
    pictures = torch.linspace(-1, 1, 5 * 16).view(5, 1, 4, 4)
    figure = picture_rows({"a": pictures, "b": -pictures}, count=3)
    shown = [ax.images[0].get_array() for ax in figure.axes]
    assert [s.shape for s in shown] == [(4, 12), (4, 12)]
    assert (shown[0][:, 4:8] == pictures[1, 0].numpy()).all()
    assert [ax.get_ylabel() for ax in figure.axes] == ["a", "b"]


def test_a_row_may_be_in_colour() -> None:
    drawings, colours = torch.ones(2, 1, 4, 4), torch.linspace(-1, 1, 2 * 3 * 16).view(2, 3, 4, 4)
    grey, colour = (ax.images[0].get_array() for ax in picture_rows({"a": drawings, "b": colours}).axes)
    assert grey.shape == (4, 8)
    assert colour.shape == (4, 8, 3)
    assert colour[1, 6].tolist() == pytest.approx(((colours[1, :, 1, 2] + 1) / 2).tolist(), abs=1 / 30)


def test_both_players_have_a_panel() -> None:
    figure = player_losses({"run": ([1.0] * 10 + [3.0] * 10, [0.0] * 20)}, window=10)
    line = figure.axes[0].lines[0]
    assert line.get_ydata()[[0, -1]].tolist() == [1.0, 3.0]
    assert line.get_xdata()[-1] == 19


def test_the_front_is_the_lower_left() -> None:
    points = {"random": [(1.0, 5.0), (2.0, 6.0)], "evolved": [(3.0, 1.0), (4.0, 2.0)]}
    figure = search_scatter(points, {"selected": (3.0, 1.0)}, 3.5, "FID")
    front = next(line for line in figure.axes[0].lines if line.get_label() == "front")
    assert list(zip(front.get_xdata(), front.get_ydata(), strict=True)) == [(1.0, 5.0), (3.0, 1.0)]


def test_curves_show_the_median_search() -> None:
    best = torch.tensor([[5.0, 4.0, 4.0], [3.0, 3.0, 1.0], [4.0, 2.0, 2.0]])  # (searches, evaluations)
    figure = search_curves({"evolution": best}, {"best of all": 1.0}, "FID")
    line = next(line for line in figure.axes[0].lines if line.get_label() == "evolution")
    assert line.get_xdata()[0] == 1
    assert line.get_ydata().tolist() == [4.0, 3.0, 2.0]


def test_the_explorer_names_configuration_and_macs() -> None:
    figure = width_explorer(
        SuperStudent(), torch.zeros(2, 1, 8, 8), lambda config, size, separable: 1_500_000, 8, 12
    )
    assert "8-16-32-48-48-48-16-8: 1.50 M MACs" in figure.get_suptitle()


def test_an_edit_moves_and_stretches() -> None:
    drawing = torch.full((1, 10, 10), -1.0)
    drawing[:, 3:7, 4] = 1.0
    assert torch.equal(edit(drawing, 0, 0), drawing)
    right = edit(drawing, 0, 2)
    assert right[0, 3:7, 6].eq(1).all()
    assert right.eq(1).sum() == 4
    taller = edit(drawing, 2, 0)
    assert taller.shape == drawing.shape
    assert taller[0, 1:7, 4].eq(1).all()
    assert taller.eq(1).sum() == 6


def test_the_editor_asks_every_generator() -> None:
    small = ResNetGenerator(Config(2, 2, 2, 2, 2, 2, 2, 2)).eval()
    figure = edited_drawing({"a": small, "b": small}, torch.zeros(3, 1, 8, 8), 1, 2, 0)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[:2] == ["before", "edited"]
    assert all(t.endswith(" ms") for t in titles[2:])
