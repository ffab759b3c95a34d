"""Targets, losses and decoding: what is put in comes out again."""

import pytest
import torch

from efficientlab.datasets.streets.ragged import Ragged
from efficientlab.datasets.streets.views import street_views
from efficientlab.kernels import BEVGrid
from efficientlab.models.streets.bevfusion import BEVFusion, Outputs
from efficientlab.training.streets.decode import decode
from efficientlab.training.streets.fit import fit, predict, score, thresholds_of
from efficientlab.training.streets.losses import box_loss, heat_loss, losses, map_loss
from efficientlab.training.streets.targets import make_targets

GRID = BEVGrid((-4.0, 6.0, 0.5), (-3.0, 5.0, 0.5), (-2.0, 4.0))  # 20 × 16 cells


def row(kind: float, x: float, y: float, yaw: float = 0.3) -> list[float]:
    return [kind, x, y, 0.8, 4.0, 1.8, 1.5, yaw]


BOXES = Ragged(
    torch.tensor([row(0, 1.1, 2.3), row(2, -3.9, -2.9, -2.0), row(0, 5.9, 4.9), row(1, 6.0, 0.0)]),
    torch.tensor([3, 1]),
)


def test_heat_is_one_at_centres_and_falls_around_them() -> None:
    targets = make_targets(BOXES, 3, GRID)
    assert targets.heat.shape == (2, 3, 20, 16)
    assert (targets.heat == 1).sum() == 3  # x = 6 m lies outside
    assert targets.heat[0, 0, 10, 10] == 1
    assert (
        targets.heat[0, 0, 10, 11] == targets.heat[0, 0, 9, 10] == pytest.approx(0.4868, abs=1e-3)
    )  # σ = 5/6
    assert targets.heat[0, 0, 10, 13] == 0
    assert targets.heat[0, 2, 0, 0] == 1
    assert targets.cell.tolist() == [10 * 16 + 10, 0, 19 * 16 + 15]
    assert targets.box[0, :2].tolist() == pytest.approx([0.2, 0.6], abs=1e-5)
    assert not targets.heat[1].any()


def test_boxes_that_cannot_be_are_named() -> None:
    with pytest.raises(ValueError, match="a class that is not among 0 … 1"):
        make_targets(BOXES, 2, GRID)
    flat = Ragged(BOXES.rows * torch.tensor([1.0, 1, 1, 1, 1, 1, 0, 1]), BOXES.sizes)
    with pytest.raises(ValueError, match="a length, width or height that is not positive"):
        make_targets(flat, 3, GRID)


def test_streets_without_things_are_scored_by_their_maps() -> None:
    views = street_views("val", 2)
    predictions = predict(BEVFusion(), views)
    empty = views.boxes.where(torch.zeros(len(views.boxes.rows), dtype=torch.bool))
    nothing = type(views)(**{**vars(views), "boxes": empty})
    result = score(predictions, nothing, thresholds_of(predictions, nothing))
    assert result.precision.isnan().all()
    assert result.mean_iou >= 0


def test_no_streets_are_refused() -> None:
    with pytest.raises(ValueError, match="there is no street to look at"):
        predict(BEVFusion(("lidar",)), street_views("val", 2)[:0])


def test_two_centres_close_by_are_both_one() -> None:
    near = Ragged(torch.tensor([row(0, 1.1, 1.1), row(0, 1.6, 1.1)]), torch.tensor([2]))
    heat = make_targets(near, 1, GRID).heat
    assert (heat == 1).sum() == 2
    assert heat.max() == 1


def test_the_heat_loss_by_hand() -> None:
    logits = torch.tensor([[[[0.0, 0.0, -2.0]]]])
    heat = torch.tensor([[[[1.0, 0.5, 0.0]]]])
    half = -torch.log(torch.tensor(0.5))
    p = torch.tensor(-2.0).sigmoid()
    expected = 0.25 * half + 0.5**4 * 0.25 * half - p**2 * torch.log(1 - p)
    assert heat_loss(logits, heat) == pytest.approx(expected.item(), rel=1e-5)
    assert heat_loss(logits.repeat(2, 1, 1, 1), heat.repeat(2, 1, 1, 1)) == pytest.approx(
        expected.item(), rel=1e-5
    )
    assert heat_loss(torch.full((1, 1, 2, 2), -30.0), torch.zeros(1, 1, 2, 2)) < 1e-30


def test_losses_are_finite_for_certain_networks_and_for_streets_without_boxes() -> None:
    logits = torch.full((1, 3, 20, 16), 60.0, requires_grad=True)
    outputs = Outputs(logits, torch.zeros(1, 8, 20, 16, requires_grad=True), logits[:, :2])
    empty = make_targets(Ragged(torch.zeros(0, 8), torch.tensor([0])), 3, GRID)
    each = losses(outputs, empty, torch.zeros(1, 2, 20, 16, dtype=torch.bool))
    assert each["box"] == 0
    sum(each.values()).backward()
    assert logits.grad is not None and logits.grad.isfinite().all()


def test_the_box_loss_reads_centres_alone() -> None:
    targets = make_targets(BOXES, 3, GRID)
    box = torch.randn(2, 8, 20, 16, requires_grad=True)
    box_loss(box, targets).backward()
    assert box.grad is not None
    assert box.grad.abs().sum(1).count_nonzero() == 3
    exact = torch.zeros(2, 8, 20, 16)
    exact.flatten(2)[targets.street, :, targets.cell] = targets.box
    assert box_loss(exact, targets) == 0


def test_the_map_loss_lets_areas_overlap() -> None:
    truth = torch.ones(1, 2, 1, 1, dtype=torch.bool)
    assert map_loss(torch.full((1, 2, 1, 1), 20.0), truth) < 1e-6
    assert map_loss(torch.zeros(1, 2, 1, 1), truth) == pytest.approx(0.25 * 0.6931, rel=1e-3)


def test_what_the_targets_say_is_decoded_into_the_boxes() -> None:
    targets = make_targets(BOXES, 3, GRID)
    box = torch.zeros(2, 8, 20, 16)
    box.flatten(2)[targets.street, :, targets.cell] = targets.box
    heat = torch.logit(targets.heat.clamp(1e-4, 1 - 1e-4))
    found = decode(Outputs(heat, box, heat[:, :1]), GRID)
    assert found.sizes.tolist() == [3, 0]
    rows = found.rows[found.rows[:, 1].argsort()]
    expected = BOXES.rows[:3][BOXES.rows[:3, 1].argsort()]
    assert torch.allclose(rows[:, :8], expected, atol=1e-4)
    assert (rows[:, 8] > 0.99).all()


def test_a_peak_is_a_peak_of_its_class() -> None:
    heat = torch.full((1, 2, 20, 16), -9.0)
    heat[0, 0, 5, 5], heat[0, 0, 5, 6], heat[0, 1, 5, 6], heat[0, 0, 19, 15] = 3.0, 2.0, 1.0, 0.5
    found = decode(Outputs(heat, torch.zeros(1, 8, 20, 16), heat), GRID)
    kinds_and_cells = {(int(r[0]), float(r[1]), float(r[2])) for r in found.rows}
    assert kinds_and_cells == {(0, -1.5, -0.5), (1, -1.5, 0.0), (0, 5.5, 4.5)}
    assert len(decode(Outputs(heat, torch.zeros(1, 8, 20, 16), heat), GRID, most=1).rows) == 1


@pytest.mark.slow
def test_a_network_learns_a_street_by_heart() -> None:
    """Sixteen steps on two streets: every loss falls, and the scores are those of the same predictions."""
    views = street_views("train", 2)
    torch.manual_seed(0)
    model = BEVFusion(("lidar",), 8)
    run = fit(model, views, epochs=16, batch=2, lr=5e-3)
    assert sum(run.losses[-4:]) < 0.75 * sum(run.losses[:4])
    predictions = predict(model, views)
    result = score(predictions, views, thresholds_of(predictions, views))
    assert 0 <= result.mean_precision <= 100
    assert 0 < result.mean_iou <= 100
    assert len(predictions.boxes) == len(predictions.map) == 2
    alone = fit(BEVFusion(("lidar",), 8), views, tasks=("map",), epochs=1, batch=2, lr=1e-3)
    assert len(alone.losses) == 1
