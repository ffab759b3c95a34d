"""The GAN loop: who learns from what, in which order, and that runs repeat."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch
from torch import nn

from efficientlab.datasets.gan.edges import Pairs, edges2shoes
from efficientlab.models.gan.pix2pix import Config, PatchDiscriminator, ResNetGenerator
from efficientlab.models.weights import load_weights, save_weights
from efficientlab.training.gan.conditional import (
    Batch,
    PairBatches,
    fit_gan,
    hinge_discriminator,
    hinge_generator,
    translate,
)
from efficientlab.training.gan.distillation import Distillation
from efficientlab.training.gan.log import write_log

SMALL = Config(2, 3, 4, 3, 3, 3, 3, 2)


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    return edges2shoes("val", 10)


def players() -> tuple[ResNetGenerator, PatchDiscriminator]:
    torch.manual_seed(0)
    return ResNetGenerator(SMALL), PatchDiscriminator(2)


def batch_of(generator: ResNetGenerator, discriminator: PatchDiscriminator) -> Batch:
    torch.manual_seed(1)
    drawing, picture = torch.randn(2, 1, 16, 16), torch.randn(2, 1, 16, 16)
    return Batch(drawing, picture, *generator.with_features(drawing), discriminator)


def test_the_hinge_losses_by_hand() -> None:
    generator, discriminator = players()
    batch = batch_of(generator, discriminator)
    real = discriminator(batch.drawing, batch.picture)
    fake = discriminator(batch.drawing, batch.fake)
    expected = sum(max(0.0, 1 - r) for r in real.flatten().tolist()) / real.numel()
    expected += sum(max(0.0, 1 + f) for f in fake.flatten().tolist()) / fake.numel()
    assert hinge_discriminator(batch).item() == pytest.approx(expected, rel=1e-5)
    assert hinge_generator(batch).item() == pytest.approx(-fake.mean().item(), rel=1e-5)


def test_the_discriminators_loss_leaves_the_generator_alone() -> None:
    generator, discriminator = players()
    hinge_discriminator(batch_of(generator, discriminator)).backward()
    assert all(p.grad is None for p in generator.parameters())
    assert all(p.grad is not None for p in discriminator.parameters())


def test_batches_are_whole_shuffled_and_repeatable(pairs: Pairs) -> None:
    batches = PairBatches(pairs, steps=6, batch=4, seed=3)
    first, second = list(batches), list(batches)
    assert len(batches) == len(first) == 6
    for (a, b), (c, d) in zip(first, second, strict=True):
        assert torch.equal(a, c)
        assert torch.equal(b, d)
        assert a.shape == b.shape == (4, 1, 32, 32)
    seen = torch.cat([picture for _, picture in first[:2]]).flatten(1)
    assert len(seen.unique(dim=0)) == 8, "no pair comes twice before the shuffle is through"
    other = next(iter(PairBatches(pairs, steps=6, batch=4, seed=4)))
    assert not torch.equal(first[0][0], other[0])


@pytest.mark.parametrize(("steps", "batch"), [(0, 4), (3, 11)])
def test_too_little_to_train_on_is_named(pairs: Pairs, steps: int, batch: int) -> None:
    with pytest.raises(ValueError, match=f"Nothing to train on: {steps} steps of {batch} out of 10 pairs"):
        PairBatches(pairs, steps=steps, batch=batch)


@pytest.mark.slow
def test_training_improves_reconstruction_and_repeats(pairs: Pairs) -> None:
    runs = []
    for _ in range(2):
        generator, discriminator = players()
        runs.append(fit_gan(generator, discriminator, pairs, steps=30, batch=4, lr=1e-2).losses)
    assert runs[0] == runs[1]
    assert set(runs[0]) == {"D", "GAN", "L1"}
    assert sum(runs[0]["L1"][-5:]) < 0.8 * sum(runs[0]["L1"][:5])


def test_without_a_discriminator_there_is_no_game(pairs: Pairs) -> None:
    generator, _ = players()

    def loss(batch: Batch) -> dict[str, torch.Tensor]:
        assert batch.discriminator is None
        return {"L1": (batch.fake - batch.picture).abs().mean()}

    run = fit_gan(generator, None, pairs, steps=2, batch=4, lr=1e-3, generator_loss=loss)
    assert set(run.losses) == {"L1"}


def test_the_step_hook_comes_before_the_forward_pass(pairs: Pairs) -> None:
    generator, discriminator = players()
    seen: list[bool] = []
    generator.stem.register_forward_hook(lambda *_: seen.append(True))
    counts: list[int] = []
    fit_gan(
        generator,
        discriminator,
        pairs,
        steps=3,
        batch=2,
        lr=1e-3,
        before_step=lambda: counts.append(len(seen)),
    )
    assert counts == [0, 1, 2]


def test_a_loss_that_is_not_finite_is_named(pairs: Pairs) -> None:
    generator, discriminator = players()

    def loss(batch: Batch) -> dict[str, torch.Tensor]:
        return {"odd": batch.fake.mean() * float("nan")}

    with pytest.raises(ValueError, match=r"The loss odd is nan at step 1; try a lower lr than 0\.001"):
        fit_gan(generator, discriminator, pairs, steps=2, batch=2, lr=1e-3, generator_loss=loss)


def test_translation_does_not_depend_on_its_batches(pairs: Pairs) -> None:
    generator = players()[0].eval()
    torch.testing.assert_close(translate(generator, pairs), translate(generator, pairs, batch=3))


def test_distillation_is_relative_and_leaves_the_teacher_alone() -> None:
    torch.manual_seed(0)
    teacher, student = ResNetGenerator(SMALL), ResNetGenerator(SMALL._replace(stream=3))
    module = Distillation(teacher, stream=3)
    batch = batch_of(student, PatchDiscriminator(2))
    with torch.no_grad():
        for f in module.maps:
            f.weight.zero_()
            f.bias.zero_()
    assert module(batch).item() == pytest.approx(4), "mapped to zero, every tap's relative error is 1"
    module(batch).backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert all(p.grad is not None for p in module.parameters())
    assert "maps.0.weight" in module.state_dict()
    assert not any("teacher" in name for name in module.state_dict())


def test_perfect_features_cost_nothing() -> None:
    torch.manual_seed(0)
    teacher = ResNetGenerator(SMALL)
    module = Distillation(teacher, stream=4)
    for f in module.maps:
        nn.init.zeros_(f.bias)
        f.weight.data.copy_(torch.eye(4)[:, :, None, None])
    assert module(batch_of(copy.deepcopy(teacher), PatchDiscriminator(2))).item() == pytest.approx(
        0, abs=1e-9
    )


def test_weights_survive_in_half_precision(tmp_path: Path) -> None:
    generator, discriminator = players()
    save_weights(tmp_path / "gan" / "w.safetensors", generator=generator, discriminator=discriminator)
    again = load_weights(ResNetGenerator(SMALL), tmp_path / "gan" / "w.safetensors", "generator.")
    assert not again.training
    for p, q in zip(generator.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(q, p, rtol=1e-3, atol=1e-4)
        assert q.dtype == torch.float32
    assert [f.name for f in (tmp_path / "gan").iterdir()] == ["w.safetensors"]


def test_the_log_holds_means_and_the_command(tmp_path: Path, pairs: Pairs) -> None:
    generator, discriminator = players()
    run = fit_gan(generator, discriminator, pairs, steps=2, batch=2, lr=1e-3)
    write_log(tmp_path / "log.json", "python -m x", run, 100, seed=0)
    log = json.loads((tmp_path / "log.json").read_text())
    assert (log["command"], log["seed"]) == ("python -m x", 0)
    means = log["losses, means of 100 steps"]
    assert means["L1"] == [round(sum(run.losses["L1"]) / 2, 4)]
