"""Scans by label: one colour a label in every panel, what is wrong below, a legend of what occurs."""

import matplotlib

matplotlib.use("Agg")

import numpy as np
import torch

from efficientlab.viz.streets.scans import labelled
from efficientlab.viz.style import RED

NAMES = ("road", "car", "pole", "crate")


def test_panels_legend_and_errors():
    rng = torch.Generator().manual_seed(0)
    points = 4 * torch.randn(3, 50, generator=rng)
    points[0, 0] = 100.0  # beyond the reach: not drawn
    truth = torch.arange(50) % 2
    answer = truth.clone()
    answer[1:11] = 2
    figure = labelled(points, {"truth": truth, "answer": answer}, NAMES, truth=truth)
    above_truth, above, nothing, below = figure.axes
    assert len(above.collections[0].get_offsets()) == 49
    assert below.get_title() == f"{10 / 49:.1%} wrong"
    assert not nothing.get_visible()
    red = matplotlib.colors.to_rgba(RED)
    assert (below.collections[0].get_facecolors() == red).all(1).sum() == 10
    assert [text.get_text() for text in figure.legends[0].texts] == ["road", "car", "pole"]
    colours = [np.unique(ax.collections[0].get_facecolors(), axis=0) for ax in (above_truth, above)]
    assert all((colours[1] == row).all(1).any() for row in colours[0])


def test_one_answer_without_truth_is_one_panel():
    figure = labelled(torch.randn(3, 9), {"a street": torch.zeros(9, dtype=torch.int64)}, NAMES)
    assert len(figure.axes) == 1
