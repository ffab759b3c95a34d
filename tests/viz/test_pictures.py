"""Pictures show what their names say: the numbers in them are checked, not their looks."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from functools import partial
from types import ModuleType

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import Tensor

from efficientlab.kernels import temporal_shift
from efficientlab.models.video.shift_bugs import SHIFT_BUGS
from efficientlab.viz import explore as explore_module
from efficientlab.viz import style
from efficientlab.viz.comparison import (
    confusion_pictures,
    grouped_bars,
    predicted_against_measured,
    quality_against_cost,
)
from efficientlab.viz.explore import explore
from efficientlab.viz.style import logarithmic, use_style
from efficientlab.viz.video.clips import film_strips
from efficientlab.viz.video.influence import influence, influence_pictures
from efficientlab.viz.video.scaling import scaling_curves
from efficientlab.viz.video.shift import draw_shift, frame_numbers, shift_pictures
from efficientlab.viz.video.streaming import early_recognition, stream_player


@pytest.fixture(autouse=True)
def figures_in_style() -> Iterator[None]:
    with mpl.rc_context():
        use_style()
        yield
    plt.close("all")


def one_layer(shift: partial[Tensor] | None) -> object:
    """Frame outputs of a single shift and a random 1×1 convolution: (N, T, C, H, W) → (N, T, K)."""
    torch.manual_seed(0)
    conv = torch.nn.Conv2d(16, 4, 1)

    def outputs(video: Tensor) -> Tensor:
        x = video.flatten(0, 1)
        if shift is not None:
            x = shift(x, n_frames=video.shape[1])
        return conv(x).mean((2, 3)).unflatten(0, video.shape[:2])

    return outputs


def seen(shift: partial[Tensor] | None) -> Tensor:
    """Where the influence map is not zero: (T, T)."""
    return influence(one_layer(shift), torch.randn(2, 5, 16, 3, 3)) > 0  # type: ignore[arg-type]


def test_influence_is_a_diagonal_a_band_or_a_lower_triangle() -> None:
    eye = torch.eye(5, dtype=torch.bool)
    past = torch.ones(5, 5).tril().triu(-1).bool()
    assert torch.equal(seen(None), eye)
    assert torch.equal(seen(partial(temporal_shift, causal=True)), past)
    assert torch.equal(seen(partial(temporal_shift)), past | past.T)


@pytest.mark.parametrize(
    ("bug", "corner", "future"),
    [
        ("folds exchanged", False, True),
        ("past-only buffer", False, False),
        ("clip as a loop", True, True),
        ("leak across clips", True, True),
        ("half a fold", False, True),
        ("fold of zero", False, False),
    ],
)
def test_the_influence_map_shows_each_bug(bug: str, corner: bool, future: bool) -> None:
    table = seen(partial(SHIFT_BUGS[bug]))
    assert bool(table[-1, 0]) is corner  # the last frame sees the first frame of a clip
    assert bool(table[1, 2]) is future


def test_exchanged_folds_are_the_shift_of_the_reversed_clip() -> None:
    x = torch.randn(6, 16, 2, 2)
    y = SHIFT_BUGS["folds exchanged"](x, 3).unflatten(0, (2, 3))
    clips = x.unflatten(0, (2, 3))
    assert torch.equal(y[:, 1:, :2], clips[:, :-1, :2])
    assert torch.equal(y[:, :-1, 2:4], clips[:, 1:, 2:4])
    assert torch.equal(y[:, :, 4:], clips[:, :, 4:])


def test_the_shift_picture_writes_frame_numbers() -> None:
    figure = shift_pictures(
        {"a": lambda x: x, "b": lambda x: temporal_shift(x, len(x), 8)}, n_frames=4, channels=8
    )
    texts = [[t.get_text() for t in ax.texts] for ax in figure.axes]
    assert texts[0] == [str(t) for t in range(1, 5) for _ in range(8)]
    assert texts[1][:8] == ["2", "0", "1", "1", "1", "1", "1", "1"]
    assert frame_numbers(3, 2)[:, 0, 0, 0].tolist() == [1, 2, 3]


def test_film_strips_put_frames_in_order() -> None:
    video = torch.arange(4, dtype=torch.uint8).view(1, 4, 1, 1, 1).expand(1, 4, 3, 2, 2)
    figure = film_strips(video, ["a"], columns=1)
    image = figure.axes[0].images[0].get_array()
    assert image[0, ::2, 0].tolist() == [0, 1, 2, 3]


def test_quality_against_cost_marks_the_mean_over_seeds() -> None:
    figure = quality_against_cost(
        {"a": [0.2, 0.4], "b": [0.9, 0.9]}, {"MACs": {"a": 10, "b": 100}, "time": {"a": 1, "b": 2}}, "top-1"
    )
    assert len(figure.axes) == 2
    points = [tuple(line.get_xydata()[0]) for line in figure.axes[0].lines if line.get_marker() in "ov"]
    assert [p[0] for p in points] == [10, 100]
    assert points[0][1] == pytest.approx(0.3)
    assert {t.get_text() for t in figure.axes[1].get_legend().get_texts()} == {"a", "b"}


def test_bars_show_predictions_beside_measurements() -> None:
    figure = predicted_against_measured({"a": 1.0, "b": 3.0}, {"a": 2.0, "b": 5.0}, "ms")
    assert [bar.get_height() for bar in figure.axes[0].patches] == [1, 3, 2, 5]
    figure = predicted_against_measured({"a": None, "b": 3.0}, {"a": 2.0, "b": 5.0}, "ms")
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert math.isnan(heights[0])
    assert heights[1:] == [3, 2, 5]
    figure = grouped_bars({"cold": {"x": [0.0, 1.0]}, "warm": {"x": [0.25, 0.25]}}, "top-1")
    assert [bar.get_height() for bar in figure.axes[0].patches] == [0.5, 0.25]
    assert figure.axes[0].lines  # the caps of the ranges
    assert not grouped_bars({"cold": {"x": [0.5]}}, "top-1").axes[0].lines


def test_confusions_are_shares_of_the_true_class() -> None:
    figure = confusion_pictures({"a": torch.tensor([[3, 1], [0, 0]])}, ["x", "y"])
    assert figure.axes[0].images[0].get_array().tolist() == [[0.75, 0.25], [0.0, 0.0]]


def test_streams_and_scaling() -> None:
    figure = early_recognition({"a": torch.tensor([[0.0, 0.5], [0.2, 0.7]])}, "top-1")
    assert figure.axes[0].lines[0].get_ydata().tolist() == pytest.approx([0.1, 0.6])
    answers = torch.tensor([[[0.9, 0.1], [0.2, 0.8]]])
    figure = stream_player(
        torch.zeros(1, 2, 3, 4, 4, dtype=torch.uint8), answers, ["x", "y"], clip=0, frame=2
    )
    assert "after frame 2: y" in [ax.get_title(loc="left") for ax in figure.axes]
    figure = scaling_curves([1, 2], {"p": {"a": [1.0, 2.0]}, "q": {"a": [3.0, 4.0]}})
    assert figure.axes[1].lines[0].get_ydata().tolist() == [3, 4]
    figure = influence_pictures({str(i): torch.eye(3) for i in range(5)}, columns=3)
    assert sum(ax.get_visible() for ax in figure.axes) == 5


def test_without_a_front_end_the_default_picture_is_shown_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    calls = []

    def draw(**values: int) -> object:
        calls.append(values)
        return plt.figure()

    explore(draw, a=(3, 1, 2), b=("x", "y"))  # type: ignore[arg-type]
    assert calls == [{"a": 3, "b": "x"}]
    assert [type(s).__name__ for s in shown] == ["Figure"]


class Shown(list[object]):
    """What was displayed, and what it was replaced by."""

    def __call__(self, thing: object, display_id: bool = False, raw: bool = False) -> Shown:
        self.append(thing)
        return self

    update = list.append


VIEW = "application/vnd.jupyter.widget-view+json"


def test_with_a_front_end_there_is_a_control_for_each_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    import ipywidgets

    shown = Shown()
    monkeypatch.setattr("IPython.display.display", shown)
    monkeypatch.setattr(explore_module, "answered", lambda: True)
    calls = []

    def draw(**values: int) -> object:
        calls.append(values)
        return plt.figure()

    explore(draw, a=(3, 1, 2), b=("x", "y"))  # type: ignore[arg-type]
    bundle, picture = shown
    assert bundle["text/plain"] == "Controls: run this cell to move them."  # type: ignore[index]
    assert isinstance(picture, plt.Figure), "an output of its own, which is saved with the notebook"
    bar = ipywidgets.widget._instances[bundle[VIEW]["model_id"]]  # type: ignore[index]
    first, second = bar.children
    assert [label for label, _ in first._options_full] == ["1", "2", "3"]
    assert isinstance(second, ipywidgets.Dropdown)
    assert (first.value, second.value) == (3, "x")
    first.value = 1
    second.value = "y"
    assert calls[1:] == [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}]
    assert len(shown) == 4
    assert not plt.get_fignums(), "figures are closed"


def test_on_colab_the_picture_is_part_of_the_widget(monkeypatch: pytest.MonkeyPatch) -> None:
    import ipywidgets

    shown = Shown()
    monkeypatch.setattr("IPython.display.display", shown)
    monkeypatch.setattr(explore_module, "answered", lambda: True)
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    explore(lambda a: plt.figure(), a=(1, 2))
    assert isinstance(shown[-1], ipywidgets.VBox)


def luminance(colour: object) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("direction", ["both", "past only"])
def test_numbers_on_the_shift_s_picture_can_be_read(direction: str) -> None:
    """WCAG's 4.5 : 1 between each number and the cell below it."""
    for ax in draw_shift(4, direction).axes:
        (image,) = ax.images
        for text in ax.texts:
            x, y = (round(v) for v in text.get_position())
            value = image.get_array()[y, x]
            ground = "white" if np.ma.is_masked(value) else image.cmap(image.norm(value))
            light, dark = sorted([luminance(ground), luminance(text.get_color())], reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text.get_text(), text.get_color())


def test_a_person_gets_pictures_for_sharp_screens(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("matplotlib_inline.backend_inline.set_matplotlib_formats", asked.append)
    use_style()
    assert asked == [], "what is stored stays small"
    monkeypatch.setattr(style, "answered", lambda: True)
    use_style()
    assert asked == ["retina"]


def test_logarithmic_axes_write_their_numbers_out():
    figure, axes = plt.subplots()
    axes.plot([0.03, 70], [0.5, 0.5])
    logarithmic(axes, "xy")
    axes.set_xlim(0.03, 70)
    figure.canvas.draw()
    shown = [t.get_text() for t in axes.get_xticklabels() if 0.03 <= t.get_position()[0] <= 70]
    assert shown == ["0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50"]
    assert "0.5" in [t.get_text() for t in axes.get_yticklabels()]
