import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.datasets.video.arrowset import Clips, arrowset
from efficientlab.models.video.rivals import TSN, ResNet3D
from efficientlab.training.video.classify import (
    Job,
    cross_entropy,
    evaluate,
    fit,
    fit_all,
    normalise,
    predict,
    score,
)

RECIPE = {"epochs": 2, "batch": 8, "lr": 1e-2}


def colours(n: int = 48, seed: int = 0) -> Clips:
    """A task for a linear network: each class has its own colour in the last frame."""
    rng = torch.Generator().manual_seed(seed)
    label = torch.randint(12, (n,), generator=rng)
    palette = torch.randint(256, (12, 3), generator=torch.Generator().manual_seed(9), dtype=torch.uint8)
    video = torch.randint(256, (n, 2, 3, 4, 4), generator=rng, dtype=torch.uint8)
    video[:, -1] = palette[label][:, :, None, None]
    return Clips(video, label // 2, label % 2, torch.zeros_like(label))


class Linear(nn.Module):
    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.norm = nn.BatchNorm1d(6)
        self.head = nn.Linear(6, 12)

    def forward(self, video: Tensor) -> Tensor:
        return self.head(self.norm(video.mean((3, 4)).flatten(1)))


def weights(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_fit_learns():
    model, clips = Linear(), colours(480)
    run = fit(model, clips, epochs=20, batch=16, lr=3e-2)
    assert len(run.losses) == 20 * 30
    assert run.losses[0] > math.log(12) / 2
    assert sum(run.losses[-30:]) / 30 < math.log(12) / 4
    assert evaluate(model, colours(240, seed=1)).top1 > 0.95


def test_the_schedule_is_counted_in_batches(monkeypatch):
    made = []
    original = torch.optim.lr_scheduler.OneCycleLR

    def spy(*args, **kwargs):
        made.append(original(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(torch.optim.lr_scheduler, "OneCycleLR", spy)
    clips = colours(50)  # six batches of eight, and two clips over
    seen = []

    def objective(model, video, part):
        seen.append((len(part), made[0].get_last_lr()[0]))
        return cross_entropy(model, video, part)

    run = fit(Linear(), clips, epochs=5, batch=8, lr=0.5, objective=objective)
    sizes, rates = zip(*seen, strict=True)
    assert sizes == (8,) * 30
    assert len(run.losses) == made[0].total_steps == 30
    assert max(rates) == pytest.approx(0.5, rel=0.05)
    assert 0 < rates.index(max(rates)) < 15
    assert rates[-1] < 0.01


def test_every_epoch_visits_every_clip_once():
    clips = colours(32)
    clips.video[:, 0, 0, 0, 0] = torch.arange(32, dtype=torch.uint8)
    visits = []

    def objective(model, video, part):
        visits.extend(part.video[:, 0, 0, 0, 0].tolist())
        return cross_entropy(model, video, part)

    fit(Linear(), clips, objective=objective, **RECIPE)
    assert sorted(visits[:32]) == sorted(visits[32:]) == list(range(32))
    assert visits[:32] != visits[32:]


def test_the_seed_is_the_order_of_clips():
    def trained(seed):
        model = Linear()
        fit(model, colours(), seed=seed, **RECIPE)
        return weights(model)

    assert torch.equal(trained(1), trained(1))
    assert not torch.equal(trained(1), trained(2))


def test_fit_leaves_the_global_generator_alone():
    model = Linear()
    state = torch.get_rng_state()
    fit(model, colours(), **RECIPE)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 2, "batch": 64, "lr": 0.1}, "2 epochs of 48 clips in batches of 64"),
        ({"epochs": 0, "batch": 8, "lr": 0.1}, "0 epochs"),
    ],
)
def test_nothing_to_train_on(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit(Linear(), colours(), **arguments)


def test_a_loss_that_is_not_finite_stops_training():
    def objective(model, video, part):
        return cross_entropy(model, video, part) * float("nan")

    with pytest.raises(ValueError, match="loss is nan at step 1"):
        fit(Linear(), colours(), objective=objective, **RECIPE)


def smooth(model, video, part):
    return F.cross_entropy(model(video), part.label, label_smoothing=0.3)


def jobs() -> dict[str, Job]:
    torch.manual_seed(0)
    return {
        "TSN": Job(TSN(), seed=1),
        "3D": Job(ResNet3D(widths=(8, 12, 16)), seed=2),
        "smooth": Job(TSN(), seed=3, objective=smooth),
    }


def test_runs_do_not_depend_on_how_many_there_are_at_once():
    clips = arrowset("train", 32, size=16, frames=4)
    threads = torch.get_num_threads()
    one, two, lonely = jobs(), jobs(), jobs()
    runs = fit_all(one, clips, workers=1, **RECIPE)
    again = fit_all(two, clips, workers=3, **RECIPE)
    assert torch.get_num_threads() == threads
    assert list(runs) == list(again) == list(one)
    torch.set_num_threads(1)
    try:
        for name, job in lonely.items():
            alone = fit(job.model, clips, seed=job.seed, objective=job.objective, **RECIPE)
            assert runs[name].losses == again[name].losses == alone.losses
            assert torch.equal(weights(one[name].model), weights(two[name].model))
            assert torch.equal(weights(one[name].model), weights(job.model))
            assert runs[name].cpu_seconds > 0
    finally:
        torch.set_num_threads(threads)


def test_a_failing_job_says_so_and_stops_the_rest():
    def objective(model, video, part):
        raise ArithmeticError("the third contestant is ill")

    many = {"ill": Job(Linear(), objective=objective)} | {str(i): Job(Linear()) for i in range(20)}
    before = weights(many["19"].model).clone()
    with pytest.raises(ArithmeticError, match="ill"):
        fit_all(many, colours(480), workers=1, epochs=5, batch=8, lr=1e-2)
    assert torch.equal(weights(many["19"].model), before)


def test_predict_is_in_evaluation_mode_and_free_of_batches():
    model, clips = Linear().train(), colours(30)
    logits = predict(model, clips)
    assert not model.training
    assert logits.shape == (30, 12)
    assert not logits.requires_grad
    torch.testing.assert_close(logits, predict(model, clips, batch=7))
    torch.testing.assert_close(logits, model(normalise(clips.video)).detach())


def test_normalise_keeps_the_pixels():
    clips = arrowset("train", 240)
    before = clips.video.clone()
    video = normalise(clips.video)
    assert torch.equal(clips.video, before)
    assert video.dtype == torch.float32
    assert abs(video.mean()) < 0.5
    assert 0.5 < video.std() < 1.5


def test_score_by_hand():
    label = torch.tensor([0, 1, 2, 3])
    clips = Clips(torch.zeros(4, 1, 3, 1, 1, dtype=torch.uint8), label // 2, label % 2, label)
    logits = torch.tensor(
        [
            [3.0, 1.0, 0.0, 0.0],  # right
            [3.0, 1.0, 0.0, 0.0],  # the right kind along the wrong arrow
            [9.0, 0.0, 2.0, 1.0],  # the wrong kind, but of its kind's arrows the right one
            [0.0, 0.0, 1.0, 2.0],  # right
        ]
    )
    result = score(logits, clips)
    assert (result.top1, result.arrow) == (0.5, 0.75)
    expected = torch.zeros(4, 4, dtype=torch.int64)
    for true, predicted in ((0, 0), (1, 0), (2, 0), (3, 3)):
        expected[true, predicted] += 1
    assert torch.equal(result.confusion, expected)


@pytest.mark.parametrize("logits", [torch.zeros(47, 12), torch.zeros(48, 10)])
def test_logits_that_do_not_fit(logits):
    with pytest.raises(ValueError, match=r"do not fit 48 clips"):
        score(logits, colours(48))


def test_frame_aggregation_is_at_half_on_the_arrow():
    """By construction of the test split, for any weights."""
    test = arrowset("test", 120)
    torch.manual_seed(0)
    model = TSN()
    logits = predict(model, test)
    assert (logits[0::2] - logits[1::2]).abs().max() < 1e-5
    assert score(logits, test).arrow == 0.5
    assert not math.isclose(score(logits, test).top1, 0.5)


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -float("inf")])
def test_logits_that_are_not_finite_get_no_score(broken):
    clips = colours()
    logits = predict(TSN(), clips).clone()
    logits[3, 2] = broken
    with pytest.raises(ValueError, match=rf"1 of {logits.numel()} logits are not finite"):
        score(logits, clips)
