import matplotlib as mpl
import pytest
import torch

mpl.use("Agg")

from efficientlab.viz.gan.augment import draw_policy, draws_table
from efficientlab.viz.gan.samples import (
    efficiency_curve,
    memory_curves,
    sample_grids,
    score_distributions,
    tile,
    training_curves,
)


def log(variant, n, seed):
    steps = [10, 20, 30]
    rates = {"train": [0.5, 0.7, 0.9], "held_out": [0.5, 0.5, 0.4], "gap": [0.0, 0.2, 0.5 + seed / 10]}
    return {"variant": variant, "pictures": n, "seed": seed, "step": steps, "fid": [30.0, 9.0, 5.0 + seed],
            "rates": rates, "test_fid": 6.0 + seed}  # fmt: skip


LOGS = [log(v, n, s) for v in ("none", "DiffAugment") for n in (50, 100) for s in (0, 1)]


def test_tiles_are_in_reading_order_with_white_between():
    pictures = torch.tensor([-1.0, 0.0, 0.5, 1.0, -0.5, -1.0]).view(6, 1, 1, 1).expand(6, 3, 2, 2)
    table = tile(pictures, columns=3)
    assert table.shape == (5, 8, 3)
    assert table[::3, ::3, 0].tolist() == [[0.0, 0.5, 0.75], [1.0, 0.25, 0.0]]
    assert (table[2] == 1).all() and (table[:, 2] == 1).all()


def test_bands_hold_every_seed():
    runs = [run for run in LOGS if run["pictures"] == 100]
    figure = training_curves(runs, {"none": ([10, 20, 30], {"fid": [3.0, 2, 1], "gap": [0.1, 0.1, 0.1]})})
    fid, gap = figure.axes
    assert len(fid.collections) == 2 and len(fid.lines) == 3  # two bands, two means, one own run
    band = fid.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == 5.0 and band[:, 1].max() == 30.0
    assert gap.lines[0].get_ydata()[-1] == pytest.approx(0.55)
    figure = memory_curves([run for run in runs if run["variant"] == "none"])
    assert [line.get_label() for line in figure.axes[1].lines] == ["training pictures", "held-out pictures"]


def test_the_efficiency_curve_goes_through_the_means():
    figure = efficiency_curve(LOGS, {"none": (100, 7.0)})
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert lines["none"].get_xdata().tolist() == [50, 100]
    assert lines["none"].get_ydata().tolist() == [6.5, 6.5]


def test_scores_beyond_the_limit_are_counted_at_the_ends():
    scores = {"train": torch.tensor([100.0, 1]), "held_out": torch.tensor([-100.0]), "fake": torch.zeros(3)}
    figure = score_distributions({"none": {10: scores}}, limit=4)
    areas = [sum(p.get_path().vertices[:, 1].max() > 0 for p in figure.axes[0].patches)]
    assert areas == [3]
    assert figure.axes[0].get_xlim()[1] < 5


@pytest.mark.slow
def test_pictures_of_augmentation():
    picture = torch.rand(3, 32, 32) * 2 - 1
    figure = draw_policy(picture, rows=4, hole="right")
    gradient = figure.axes[2].images[0].get_array()
    assert (gradient[:4] == 0).all()  # rows that moved out of sight
    assert gradient[10:, :16].min() > 0
    table = draws_table(picture, {"a": lambda x, rng: x, "b": lambda x, rng: -x}, draws=3)
    assert len(table.axes) == 8
    sample_grids({"one": torch.zeros(4, 1, 8, 8)}, columns=2)
