"""Training on clouds, and mIoU by its definition."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from efficientlab.datasets.points.clouds import Clouds, PartNames
from efficientlab.datasets.points.parts import PART_NAMES, part_clouds
from efficientlab.training.loop import train
from efficientlab.training.points.segment import evaluate, fit, fit_all, predict, score

NAMES = PartNames({"a": ("x", "y"), "b": ("x", "y", "z")})
RECIPE = {"epochs": 2, "batch": 4, "lr": 1e-2}


def clouds(part: list[list[int]], category: list[int]) -> Clouds:
    n, p = len(part), len(part[0])
    generator = torch.Generator().manual_seed(0)
    points, extra = (torch.randn(n, 3, p, generator=generator) for _ in range(2))
    return Clouds(points, extra, torch.tensor(part), torch.tensor(category))


class Linear(nn.Module):
    """Logits from each point's features alone."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv1d(6, classes, 1, bias=False)
        self.norm = nn.BatchNorm1d(classes)

    def forward(self, features: Tensor, points: Tensor) -> Tensor:
        assert torch.equal(features[:, :3], points)
        return self.norm(self.layer(features))


def weights(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_miou_by_hand() -> None:
    data = clouds([[0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 2, 2]], [0, 1, 1])
    predicted = torch.tensor([[0, 1, 1, 1], [2, 2, 3, 4], [2, 2, 2, 2]])
    got = score(predicted, data, NAMES.mask())
    first = (1 / 2 + 2 / 3) / 2
    second = (1 + 1 / 2 + 0) / 3  # z is predicted and not there
    third = 1.0  # y and z are neither
    assert got.instance == pytest.approx((first + second + third) / 3)
    assert got.category == pytest.approx((first + (second + third) / 2) / 2)
    assert got.part.tolist() == pytest.approx([1 / 2, 2 / 3, 1, 1 / 2, 0])
    assert got.accuracy == pytest.approx(10 / 12)


def test_a_part_that_never_occurs_has_no_iou() -> None:
    got = score(torch.tensor([[0, 0]]), clouds([[0, 0]], [0]), NAMES.mask())
    assert got.instance == 1
    assert got.part.isnan().tolist() == [False, True, True, True, True]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**31), st.integers(1, 6), st.integers(1, 30))
def test_miou_agrees_with_its_definition_in_loops(seed: int, n: int, p: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    category = torch.randint(2, (n,), generator=rng)
    true, predicted = (torch.randint(2, (n, p), generator=rng) + 2 * category[:, None] for _ in range(2))
    data = Clouds(torch.zeros(n, 3, p), torch.zeros(n, 3, p), true, category)
    shapes = []
    for i in range(n):
        ious = []
        for label in ((0, 1), (2, 3, 4))[int(category[i])]:
            t = {k for k in range(p) if true[i, k] == label}
            q = {k for k in range(p) if predicted[i, k] == label}
            ious.append(len(t & q) / len(t | q) if t | q else 1.0)
        shapes.append(sum(ious) / len(ious))
    assert score(predicted, data, NAMES.mask()).instance == pytest.approx(sum(shapes) / n)


def test_wrong_predictions_are_named() -> None:
    data = clouds([[0, 1]], [0])
    with pytest.raises(ValueError, match=r"predictions \(1, 3\) do not fit labels \(1, 2\)"):
        score(torch.zeros(1, 3, dtype=torch.int64), data, NAMES.mask())
    with pytest.raises(ValueError, match="a label that its cloud's category does not have"):
        score(torch.tensor([[0, 2]]), data, NAMES.mask())


def test_predictions_stay_within_the_category_and_are_free_of_batches() -> None:
    data = part_clouds("val", 11, points=32)
    model = Linear(35).train()
    labels = predict(model, data, PART_NAMES.mask())
    assert not model.training
    assert labels.shape == (11, 32)
    assert PART_NAMES.mask()[data.category[:, None], labels].all()
    assert torch.equal(labels, predict(model, data, PART_NAMES.mask(), batch=3))


def test_fit_learns_what_a_linear_layer_can() -> None:
    """The two parts of a lie on both sides of a plane, and so do those of b."""
    data = clouds([[0] * 64] * 40, [0, 1] * 20)
    data.part[:] = (data.points[:, 0] > 0).long() + 2 * data.category[:, None]
    before = evaluate(Linear(), data, NAMES.mask()).instance
    model = Linear()
    run = fit(model, data, epochs=30, batch=8, lr=5e-2)
    assert len(run.losses) == 150
    assert before < 0.75 < 0.9 < evaluate(model, data, NAMES.mask()).instance


def test_runs_do_not_depend_on_how_many_there_are_at_once() -> None:
    data = part_clouds("train", 8, points=32)

    def trained(workers: int) -> dict[str, Tensor]:
        models = {"a": Linear(35), "b": Linear(35)}
        runs = fit_all(models, data, seeds={"a": 0, "b": 1}, workers=workers, **RECIPE)
        assert [len(run.losses) for run in runs.values()] == [4, 4]
        return {key: weights(model) for key, model in models.items()}

    one, two = trained(1), trained(2)
    alone, threads = Linear(35), torch.get_num_threads()
    torch.set_num_threads(1)  # the order of sums depends on it
    try:
        fit(alone, data, seed=1, **RECIPE)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(one["a"], two["a"])
    assert torch.equal(one["b"], two["b"])
    assert torch.equal(one["b"], weights(alone))
    assert not torch.equal(one["a"], one["b"])  # the order of the clouds


def test_nothing_to_train_on() -> None:
    with pytest.raises(ValueError, match="2 epochs of 1 clouds in batches of 4"):
        fit(Linear(), clouds([[0, 1]], [0]), **RECIPE)


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_not_finite_ends_the_training(broken: float) -> None:
    model = Linear()
    with pytest.raises(ValueError, match=f"The loss is {broken} at step 1; try a lower lr"):
        train(model, 4, lambda index: 0 * model.layer.weight.sum() + broken, epochs=1, batch=2, lr=1e-3)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_network_that_diverged_gets_no_score(broken: float) -> None:
    data = clouds([[0, 0, 1, 1], [0, 1, 0, 1]], [0, 0])
    model = Linear()
    with torch.no_grad():
        model.layer.weight[3] = broken  # a label that no category here has: its logits are masked afterwards
    with pytest.raises(ValueError, match=r"of 40 logits are not finite: the network has diverged"):
        evaluate(model, data, NAMES.mask())


@pytest.mark.parametrize("label", [-1, 5, 99])
def test_labels_that_do_not_exist_are_named(label: int) -> None:
    data, wrong = clouds([[0, 1]], [0]), clouds([[0, label]], [0])
    with pytest.raises(ValueError, match=rf"predictions must be 0 to 4, got .*{label}"):
        score(wrong.part, data, NAMES.mask())
    with pytest.raises(ValueError, match=rf"^labels must be 0 to 4, got .*{label}"):
        score(data.part, wrong, NAMES.mask())
