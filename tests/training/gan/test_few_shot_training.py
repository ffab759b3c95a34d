import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.datasets.gan.few_shot import FewShot
from efficientlab.exercises.cases import other_generators
from efficientlab.models.gan.dcgan import LATENT
from efficientlab.models.gan.features import FeatureNet
from efficientlab.training.gan.detector import fit_detector
from efficientlab.training.gan.distances import kernel_distance
from efficientlab.training.gan.few_shot import (
    Contest,
    Objective,
    Recipe,
    Variant,
    fit_contest,
    fit_few_shot,
    new_networks,
    sample,
    watch,
)


def loss_d(discriminator, real, fake, T):
    r, f = discriminator(T(torch.cat([real, fake]))).chunk(2)
    return F.relu(1 - r).mean() + F.relu(1 + f).mean()


def loss_g(discriminator, fake, T):
    return -discriminator(T(fake)).mean()


HINGE = Objective(loss_d, loss_g)
RECIPE = Recipe(steps=4, batch=4, width=4, every=2)
REAL = torch.rand(10, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def noise(x: Tensor, rng: torch.Generator) -> Tensor:
    return x + 0.1 * torch.randn(x.shape, generator=rng)


def weights(variant: Variant, seed: int) -> Tensor:
    """Of the discriminator of a run."""
    networks = new_networks(1, 4, seed)
    fit_few_shot(REAL, variant, HINGE, RECIPE, networks, seed=seed)
    return flat(networks[1])


def flat(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_a_run_follows_from_its_seed_alone():
    state = torch.get_rng_state()
    first = weights(Variant(discriminator=noise), seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(5)
    assert torch.equal(first, weights(Variant(discriminator=noise), seed=1))
    assert not torch.equal(first, weights(Variant(), seed=1))
    assert not torch.equal(first, weights(Variant(discriminator=noise), seed=2))


@pytest.fixture
def one_thread():
    """The order of sums depends on the number of threads, and a contestant has one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_contestants_do_not_disturb_each_other():
    variants = {"a": Variant(), "b": Variant(reals=noise)}
    networks = {name: new_networks(1, 4, seed=3) for name in variants}
    contest = {name: Contest(REAL, variant, networks[name], seed=3) for name, variant in variants.items()}
    fit_contest(contest, HINGE, RECIPE, workers=2)
    for name, variant in variants.items():
        assert torch.equal(flat(networks[name][1]), weights(variant, seed=3))


@pytest.mark.parametrize("place", ["reals", "discriminator", "generator"])
def test_each_place_of_a_variant_is_where_it_says(place):
    seen = []

    def spy(x, rng):
        seen.append((len(x), x.requires_grad))
        return x

    fit_few_shot(REAL, Variant(**{place: spy}), HINGE, RECIPE, new_networks(1, 4, seed=0))
    expected = {"reals": (4, False), "discriminator": (8, False), "generator": (4, True)}[place]
    assert seen == [expected] * RECIPE.steps


def test_each_step_updates_one_network():
    gradients = []

    def spying(discriminator, fake, T):
        gradients.append([p.requires_grad for p in discriminator.parameters()])
        return loss_g(discriminator, fake, T)

    networks = new_networks(1, 4, seed=0)
    fit_few_shot(REAL, Variant(), Objective(loss_d, spying), RECIPE, networks)
    assert gradients == [[False] * 8] * RECIPE.steps
    for trained, fresh in zip(networks, new_networks(1, 4, seed=0), strict=True):
        moved = [not torch.equal(p, q) for p, q in zip(trained.parameters(), fresh.parameters(), strict=True)]
        assert sum(moved) >= len(moved) - 1  # inside the hinge's margin, D's last bias has no gradient


def test_what_is_measured_and_when():
    modes = []

    def measure(generator, discriminator):
        modes.append((generator.training, discriminator.training))
        return sample(generator, 3)

    networks = new_networks(1, 4, seed=0)
    run = fit_few_shot(REAL, Variant(), HINGE, RECIPE, networks, measure=measure)
    assert list(run.measured) == [2, 4]
    assert modes == [(False, False)] * 2
    assert torch.equal(run.measured[4], sample(networks[0], 3))
    assert not [network for network in networks if network.training]
    assert not torch.equal(run.measured[2], run.measured[4])
    assert run.seconds_a_step > 0


def test_samples_follow_from_the_seed():
    generator, _ = new_networks(1, 4, seed=0)
    generator.eval()
    assert torch.allclose(sample(generator, 300, seed=1)[:7], sample(generator, 7, seed=1), atol=1e-6)
    z = torch.randn(7, LATENT, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(sample(generator, 7, seed=1), generator(z), atol=1e-6)


def test_a_snapshot_holds_the_figures_of_its_step():
    features = FeatureNet(1, widths=(4, 8)).eval()
    data = FewShot(REAL, REAL.flip(3).repeat(2, 1, 1, 1), REAL[:0])
    generator, discriminator = new_networks(1, 4, seed=0)

    def rates(d, train, held_out, fake):
        return {"train": float(len(train)), "held_out": float(len(held_out)), "fake": float(len(fake))}

    snapshot = watch(data, features, rates)(generator.eval(), discriminator.eval())
    assert snapshot.rates == {"train": 10, "held_out": 20, "fake": 20}
    assert torch.allclose(snapshot.scores["train"], discriminator(REAL), atol=1e-6)
    assert snapshot.samples.shape == (64, 1, 32, 32)
    assert snapshot.fid > 0


def test_bad_input_is_named():
    networks = new_networks(1, 4, seed=0)
    with pytest.raises(ValueError, match=r"\(n, C, 32, 32\).*\(10, 1, 28, 28\)"):
        fit_few_shot(REAL[:, :, :28, :28], Variant(), HINGE, RECIPE, networks)
    with pytest.raises(ValueError, match="n ≥ 1"):
        fit_few_shot(REAL[:0], Variant(), HINGE, RECIPE, networks)
    broken = Objective(lambda *a: loss_d(*a) * float("nan"), loss_g)
    with pytest.raises(ValueError, match=r"at step 2 are .*nan.*lower lr"):
        fit_few_shot(REAL, Variant(), broken, RECIPE, networks)


def test_the_detector_finds_what_it_was_trained_to_find():
    rng = torch.Generator().manual_seed(0)
    pictures = torch.rand(40, 1, 32, 32, generator=rng) * 2 - 1

    def grey_border(x, rng):
        x = x.clone()
        x[..., :6] = 0
        return x

    state = torch.get_rng_state()
    detector = fit_detector(pictures, grey_border, steps=30)
    assert torch.equal(torch.get_rng_state(), state)
    fresh = torch.rand(40, 1, 32, 32, generator=rng) * 2 - 1
    assert (detector(grey_border(fresh, rng)) > 0).float().mean() > 0.9
    assert (detector(fresh) > 0).float().mean() < 0.1
    with pytest.raises(ValueError, match="no pictures"):
        fit_detector(pictures[:0], grey_border, steps=1)


def test_a_seed_for_a_while_is_none_of_the_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def seeded(seed: int) -> None:
        raise AssertionError(f"the generators of all GPUs are at {seed} from here on")

    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded)
    before, drawn = torch.get_rng_state(), []
    for _ in range(2):
        generator, _ = new_networks(3, 4, seed=5)
        with other_generators(5):
            drawn.append((next(generator.parameters()).detach(), torch.rand(3)))
    kernel_distance(torch.eye(4), torch.ones(4, 4), subsets=2, subset=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(*drawn, strict=True))
