import copy
import json
from contextlib import nullcontext
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from efficientlab.models.gan.anycost.configs import FULL, JUDGED, UNIFORM, ratios_of
from efficientlab.models.gan.anycost.discriminator import AnycostDiscriminator
from efficientlab.models.gan.anycost.generator import LATENT, AnycostGenerator
from efficientlab.models.weights import load_weights, save_weights
from efficientlab.training.gan.anycost import flexible, teacher
from efficientlab.training.gan.anycost.consistency import Consistency
from efficientlab.training.gan.anycost.loop import (
    AnycostRun,
    Game,
    Recipe,
    average_down,
    discriminator_loss,
    fit_anycost,
    generator_loss,
    r1_penalty,
)
from efficientlab.training.gan.log import write_log


class Maps:
    """The pictures themselves, as feature maps."""

    def maps(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [x]


def players(seed: int = 0) -> tuple[AnycostGenerator, AnycostDiscriminator]:
    torch.manual_seed(seed)
    return AnycostGenerator(), AnycostDiscriminator()


def pictures(n: int = 24) -> torch.Tensor:
    return torch.randint(256, (n, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def weights(run: AnycostRun) -> list[torch.Tensor]:
    return [v for net in (run.generator, run.discriminator, run.averaged) for v in net.state_dict().values()]


WHOLE_GAME = Game(config=flexible.draw_config, sizes=flexible.draw_sizes, code=ratios_of, consistency=None)


@pytest.mark.slow
def test_a_run_is_seeded_and_touches_no_global_generator():
    runs = []
    for _ in range(2):
        run = AnycostRun(*players(), Recipe(3, batch=4))
        state = torch.get_rng_state()
        fit_anycost(run, pictures(), WHOLE_GAME)
        assert torch.equal(torch.get_rng_state(), state)
        runs.append(run)
    assert all(torch.equal(a, b) for a, b in zip(*map(weights, runs), strict=True))
    assert [len(runs[0].losses[name]) for name in ("D", "G", "R1")] == [3, 3, 1]
    assert runs[0].cpu_seconds > 0


def test_a_run_that_was_interrupted_ends_as_one_that_was_not():
    recipe = Recipe(4, batch=4)
    whole = fit_anycost(AnycostRun(*players(), recipe), pictures(), WHOLE_GAME)
    first = fit_anycost(AnycostRun(*players(), recipe), pictures(), WHOLE_GAME, steps=2)
    second = AnycostRun(*players(seed=1), recipe)
    second.resume(copy.deepcopy(first.state()))
    fit_anycost(second, pictures(), WHOLE_GAME)
    assert second.step == 4 and second.losses == whole.losses
    assert all(torch.equal(a, b) for a, b in zip(weights(second), weights(whole), strict=True))


def test_all_of_a_step_happens_where_the_players_are(monkeypatch):
    """On another device than the pictures and the draws: here the one without numbers."""
    monkeypatch.setattr(torch.Tensor, "item", lambda x: 0.0)
    monkeypatch.setattr(torch, "autocast", lambda *how: nullcontext())
    run = AnycostRun(*players(), Recipe(2, batch=4))
    for net in (run.generator, run.discriminator, run.average):
        net.to("meta")
    run.players = [torch.optim.SGD(net.parameters(), 0.1) for net in (run.generator, run.discriminator)]
    monkeypatch.setattr(run.average, "update_parameters", lambda net: None)  # it reads how many there were
    fit_anycost(run, pictures(), WHOLE_GAME)
    assert run.step == 2 and run.generator.const.device.type == "meta"
    with pytest.raises(RuntimeError, match="meta"):
        run.generator(torch.zeros(4, LATENT))  # what stays on the CPU is noticed


def test_the_learning_rate_falls_to_zero_at_the_end():
    run = AnycostRun(*players(), Recipe(10, batch=4, falling=0.5))
    rates = []
    while run.step < 10:
        fit_anycost(run, pictures(), Game(), steps=1)
        rates.append(run.players[0].param_groups[0]["lr"] / run.recipe.lr)
    assert rates == pytest.approx([1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])


def test_losses_by_hand():
    real = torch.randn(4, 3, 32, 32)
    fakes = {size: torch.randn(4, 3, size, size, requires_grad=True) for size in JUDGED}

    def score(x, code):
        return x.mean((1, 2, 3)) * x.shape[-1] + code

    loss = discriminator_loss(score, real, fakes, 1.0, 2.0, (8, 32))
    assert not loss.requires_grad
    by_hand = sum(
        F.softplus(-score(x, 2.0)).mean() + F.softplus(score(fakes[s], 1.0)).mean()
        for s, x in ((8, F.avg_pool2d(real, 4)), (32, real))
    )
    torch.testing.assert_close(loss, by_hand.detach())
    loss = generator_loss(score, fakes, 1.0, (16,))
    torch.testing.assert_close(loss, F.softplus(-score(fakes[16], 1.0)).mean())
    loss.backward()
    assert fakes[16].grad is not None and fakes[8].grad is None


def test_r1_is_the_squared_slope():
    scale = torch.tensor(3.0, requires_grad=True)
    penalty = r1_penalty(lambda x, code: scale * x.sum((1, 2, 3)), torch.zeros(2, 3, 8, 8), None)
    assert penalty.item() == pytest.approx(9 * 3 * 64)
    penalty.backward()
    assert scale.grad.item() == pytest.approx(2 * 3 * 3 * 64)


def test_consistency_is_zero_for_the_teachers_own_picture_and_learns_towards_it():
    g, _ = players()
    z = torch.randn(3, LATENT)
    loss = Consistency(copy.deepcopy(g), Maps(), 2.0, JUDGED)
    with torch.no_grad():
        own = average_down(g(z), JUDGED)
    assert loss(z, own).item() == pytest.approx(0, abs=1e-6)
    narrow = g.pictures(g.mapping(z), UNIFORM[0])
    assert loss(z, narrow).item() > 0.01
    loss(z, narrow).backward()
    assert g.convs[0].weight.grad is not None
    assert not any(p.requires_grad for p in loss.teacher.parameters())


def test_a_step_without_code_leaves_the_conditioning_alone():
    run = fit_anycost(AnycostRun(*players(), Recipe(2, batch=4)), pictures(), Game())
    for condition in run.discriminator.conditions:
        assert condition.scale.weight.abs().max() == 0
    run = fit_anycost(AnycostRun(*players(), Recipe(2, batch=4)), pictures(), WHOLE_GAME)
    assert max(c.scale.weight.abs().max() for c in run.discriminator.conditions) > 0


def test_draws():
    rng = torch.Generator().manual_seed(0)
    drawn = [flexible.draw_config(rng) for _ in range(400)]
    assert 0.2 < drawn.count(FULL) / 400 < 0.31 and 0.2 < drawn.count(UNIFORM[0]) / 400 < 0.31
    sizes = [flexible.draw_sizes(rng) for _ in range(60)]
    assert {frozenset(s) for s in sizes} == {frozenset(p) for p in ((8, 16), (8, 32), (16, 32))}


@pytest.mark.slow
def test_training_in_parts_goes_on_from_its_checkpoint(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(teacher, "EVERY", 2)
    fit = partial(teacher.train_in_parts, pictures=pictures(), game=Game(), folder=tmp_path, name="g")
    run = fit(AnycostRun(*players(), Recipe(4, batch=4, bfloat16=True)))
    assert run.step == 4 and (tmp_path / "g.pt").exists() and (tmp_path / "g.png").exists()
    again = fit(AnycostRun(*players(seed=1), Recipe(6, batch=4, bfloat16=True)))
    assert again.step == 6 and "goes on at step 4" in capsys.readouterr().out
    write_log(tmp_path / "log.json", "command", again, 2, more=1)
    log = json.loads((tmp_path / "log.json").read_text(encoding="utf-8"))
    (losses,) = (value for key, value in log.items() if key.startswith("losses"))
    assert log["more"] == 1
    assert {name: len(means) for name, means in losses.items()} == {"D": 3, "R1": 1, "G": 3}
    save_weights(tmp_path / "w.safetensors", generator=again.averaged)
    loaded = load_weights(AnycostGenerator(), tmp_path / "w.safetensors", "generator.")
    z = torch.randn(2, LATENT)
    torch.testing.assert_close(loaded(z), again.averaged(z), rtol=0.05, atol=0.02)


def test_bad_input_gets_a_sentence():
    with pytest.raises(ValueError, match="at least one batch of 16 pictures, got 3"):
        fit_anycost(AnycostRun(*players(), Recipe(1)), pictures(3), Game())
    run = AnycostRun(*players(), Recipe(1, batch=4))
    with torch.no_grad():
        run.generator.const.fill_(float("nan"))
    with pytest.raises(ValueError, match="at step 1; try a lower lr"):
        fit_anycost(run, pictures(), Game())
