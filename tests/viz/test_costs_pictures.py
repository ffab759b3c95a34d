"""Lab 0's pictures draw what they are given."""

import matplotlib as mpl
import numpy as np
import pytest
import torch

from efficientlab.counters import Ratio
from efficientlab.viz.costs import (
    careless_clocks,
    shares_of_the_roofs,
    shares_seen,
    stacked_parts,
    time_against_macs,
)
from efficientlab.viz.gan.translation import player_losses
from efficientlab.viz.redundancy import occupied_shares, picture_row, scan_pictures, variance_explained

mpl.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    mpl.pyplot.close("all")


def texts(ax):
    return [text.get_text().strip() for text in ax.texts]


def test_a_stacked_bar_ends_at_the_sum_of_its_parts():
    (ax,) = stacked_parts({"ours": {"a": 1.0, "b": 2.5}, "theirs": {"a": 1.0, "b": 5.0}}, "G").axes
    assert texts(ax) == ["3.50", "6.00"]
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches]
    assert ends == [1.0, 3.5, 1.0, 6.0]
    assert [entry.get_text() for entry in ax.get_legend().get_texts()] == ["a", "b"]


def test_shares_are_written_as_percentages():
    (ax,) = shares_seen({"all": 1.0, "half": 0.5, "nothing": 0.0}).axes
    assert texts(ax) == ["100 %", "50 %", "0 %"]


def test_more_entries_than_colours_are_all_drawn():
    nine = [str(i) for i in range(9)]
    assert len(careless_clocks({name: [1.0] for name in nine}).axes[0].lines) == 2 * 9 + 1
    (ax,) = stacked_parts({"ours": dict.fromkeys(nine, 1.0)}, "G").axes
    assert len(ax.patches) == 9
    (ax,) = time_against_macs([1.0], {name: [Ratio(1, 1, 1)] for name in nine}, ["1"]).axes
    assert len(ax.containers) == 9
    assert len(player_losses({name: ([1.0], [1.0]) for name in nine}).axes[0].lines) == 9


def test_a_bar_stands_at_the_median_of_the_trials():
    (ax,) = careless_clocks({"first": [2.0, 1.0, 9.0], "again": [1.0, 1.1, 0.9]}).axes
    bars = [
        line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 2
    ]
    assert bars == pytest.approx([2.0, 1.0])
    assert ax.get_xscale() == "log"


def test_time_against_macs_has_a_diagonal_and_named_ticks():
    ratios = [Ratio(1, 1, 1), Ratio(0.7, 0.6, 0.8)]
    (ax,) = time_against_macs([1.0, 0.5], {"3×3": ratios}, ["1 group", "2 groups"]).axes
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1\n1 group", "1/2\n2 groups"]
    diagonal = next(line for line in ax.lines if line.get_label() == "time = MACs")
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())


def test_each_operator_has_two_bars():
    (ax,) = shares_of_the_roofs({"ReLU": (0.0, 0.4), "conv": (0.8, 0.1)}).axes
    assert [bar.get_height() for bar in ax.patches] == [0.0, 0.8, 0.4, 0.1]


def test_pictures_stand_beside_each_other():
    axes = picture_row({"all": torch.rand(3, 8, 8), "1/4": 2 * torch.rand(3, 8, 8)}).axes
    assert [ax.title.get_text() for ax in axes] == ["all", "1/4"]
    assert axes[1].images[0].get_array().max() <= 1


def test_every_line_can_be_told_from_the_others():
    values = {f"video {i}": [1.0, 0.1 * i] for i in range(9)}
    (ax,) = variance_explained(values, ["1", "2"], "frames ago").axes
    lines = [line for line in ax.lines if line.get_label().startswith("video")]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 9
    np.testing.assert_array_equal(lines[3].get_ydata(), values["video 3"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2"]


def test_a_scan_is_drawn_from_its_sensor_and_from_above():
    points = np.random.default_rng(0).normal(size=(400, 3)) * 20
    seen, above = scan_pictures(np.ones((4, 9)), points, reach=30).axes
    assert seen.images[0].get_array().shape == (4, 9)
    assert len(above.collections[0].get_offsets()) == len(points[np.abs(points[:, :2]).max(1) < 30][::4])


def test_occupied_shares_are_logarithmic():
    (ax,) = occupied_shares({"lot": [0.01, 0.02]}, (0.1, 0.2)).axes
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [0.01, 0.02])
