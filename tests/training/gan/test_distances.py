import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from efficientlab.training.gan.distances import (
    BATCH,
    features_of,
    fid,
    frechet_distance,
    kernel_distance,
    kid,
    perceptual_distance,
)


class Pixels(nn.Module):
    """The pixels themselves as features, so that distributions can be chosen."""

    def maps(self, x: Tensor) -> list[Tensor]:
        return [x]

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


PIXELS = Pixels().eval()


def cloud(n: int, seed: int, scale: float = 1.0, shift: float = 0.0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    mix = torch.randn(4, 4, generator=torch.Generator().manual_seed(99))
    return (torch.randn(n, 4, generator=rng) @ mix * scale + shift).view(n, 1, 2, 2)


def frechet(real: Tensor, fake: Tensor) -> float:
    """From the definition, with the square root of Σ_r^½ Σ_f Σ_r^½, which is symmetric, by numpy."""
    r, f = (x.flatten(1).double().numpy() for x in (real, fake))

    def root(matrix):
        values, vectors = np.linalg.eigh(matrix)
        return (vectors * np.sqrt(values.clip(0))) @ vectors.T

    cov_r, cov_f = np.cov(r.T), np.cov(f.T)
    cross = root(root(cov_r) @ cov_f @ root(cov_r))
    return float(((r.mean(0) - f.mean(0)) ** 2).sum() + np.trace(cov_r + cov_f - 2 * cross))


@pytest.mark.slow
@given(st.integers(0, 10_000), st.floats(0.3, 3), st.floats(-2, 2))
@settings(deadline=None, max_examples=20)
def test_fid_is_the_definition_and_symmetric(seed, scale, shift):
    real, fake = cloud(50, seed), cloud(30, seed + 1, scale, shift)
    value = fid(real, fake, PIXELS)
    assert value == pytest.approx(frechet(real, fake), rel=1e-6, abs=1e-6)
    assert value == pytest.approx(fid(fake, real, PIXELS), rel=1e-6, abs=1e-6)
    assert fid(real, real.flip(0), PIXELS) == pytest.approx(0, abs=1e-5)


def test_fid_of_shifted_sets_is_the_squared_shift():
    real = cloud(500, 0)
    assert fid(real, real + 3, PIXELS) == pytest.approx(4 * 9, rel=1e-5)
    # far from 0 against their spread: single precision would lose the covariance
    assert fid(real + 1e3, real + 1e3 + 0.5, PIXELS) == pytest.approx(4 * 0.25, rel=1e-2)


def test_kid_of_all_pictures_is_the_unbiased_estimate():
    real, fake = cloud(40, 0), cloud(40, 1, shift=0.5)

    def kernel(a, b):
        return (a.flatten(1).double() @ b.flatten(1).double().T / 4 + 1) ** 3

    def without_diagonal(k):
        return (k.sum() - k.diag().sum()) / (40 * 39)

    expected = (
        without_diagonal(kernel(real, real))
        + without_diagonal(kernel(fake, fake))
        - 2 * kernel(real, fake).mean()
    )
    assert kid(real, fake, PIXELS, subset=40, subsets=1) == pytest.approx(expected.item(), rel=1e-6)


def test_kid_is_unbiased_and_orders_sets():
    same = [
        kid(cloud(200, 2 * seed, 0.4), cloud(200, 2 * seed + 1, 0.4), PIXELS, subsets=10)
        for seed in range(12)
    ]
    assert abs(np.mean(same)) < 2.5 * np.std(same) / 12**0.5
    assert kid(cloud(200, 0, 0.4), cloud(200, 1, 0.4, shift=0.4), PIXELS) > max(same)


def test_metrics_are_deterministic_and_leave_the_global_generator_alone():
    real, fake = cloud(200, 0), cloud(300, 1)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = fid(real, fake, PIXELS), kid(real, fake, PIXELS)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert (fid(real, fake, PIXELS), kid(real, fake, PIXELS)) == first


def test_features_come_in_batches_and_in_order():
    x = cloud(613, 0)
    assert torch.equal(features_of(x, PIXELS), x.flatten(1).double())


def test_bad_sets_are_named():
    few, enough = cloud(4, 0), cloud(5, 0)
    with pytest.raises(ValueError, match=r"more than 4 real pictures.*got 4"):
        fid(few, enough, PIXELS)
    with pytest.raises(ValueError, match=r"more than 4 fake pictures.*got 4"):
        fid(enough, few, PIXELS)
    with pytest.raises(ValueError, match="`subset` = 100 real pictures, got 5"):
        kid(enough, cloud(100, 0), PIXELS)
    with pytest.raises(ValueError, match="not finite"):
        fid(enough * float("nan"), enough, PIXELS)
    with pytest.raises(ValueError, match="training mode"):
        fid(enough, enough, Pixels())
    with pytest.raises(ValueError, match="no pictures"):
        fid(enough[:0], enough, PIXELS)


def test_perceptual_distance():
    rng = torch.Generator().manual_seed(0)
    a, b = torch.rand(3, 5, 4, 4, generator=rng), torch.rand(3, 5, 4, 4, generator=rng)
    distance = perceptual_distance(a, b, PIXELS)
    assert distance.shape == (3,)
    cosine = torch.cosine_similarity(a, b, dim=1)  # |â − b̂|² = 2 − 2 cos
    assert torch.allclose(distance, (2 - 2 * cosine).mean((1, 2)), atol=1e-5)
    assert torch.allclose(perceptual_distance(a, 3 * a, PIXELS), torch.zeros(3), atol=1e-6)
    assert torch.allclose(perceptual_distance(a, -a, PIXELS), torch.full((3,), 4.0))
    with pytest.raises(ValueError, match="in pairs"):
        perceptual_distance(a, b[:2], PIXELS)


def test_perceptual_distance_is_a_loss():
    rng = torch.Generator().manual_seed(0)
    a = torch.rand(2, 3, 2, 2, generator=rng, dtype=torch.float64, requires_grad=True)
    b = torch.rand(2, 3, 2, 2, generator=rng, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: perceptual_distance(x, b, PIXELS), a)
    zero = torch.zeros(
        1, 3, 2, 2, requires_grad=True
    )  # dead features have no direction, and a finite gradient
    perceptual_distance(zero, b[:1].float(), PIXELS).sum().backward()
    assert zero.grad is not None and zero.grad.isfinite().all()


def rank_one(n: int) -> Tensor:
    """Features of which all but one direction are constant: both covariances are singular."""
    return torch.linspace(-1, 1, n).view(n, 1, 1, 1) * torch.tensor([1.0, 2.0, -1.0, 0.5]).view(1, 1, 2, 2)


def test_fid_is_never_below_zero():
    for real in (
        rank_one(30),
        rank_one(30) * 1e3 + 7,
        cloud(30, 3) * torch.tensor([1.0, 0.0, 1.0, 0.0]).view(1, 2, 2),
    ):
        scale = real.square().mean().item()
        assert 0 <= fid(real, real.clone(), PIXELS) <= 1e-5 * scale


def test_kid_of_single_pictures_is_refused():
    for subset, subsets in ((1, 5), (0, 5), (10, 0)):
        with pytest.raises(ValueError, match=f"at least 2 pictures, got subset={subset}, subsets={subsets}"):
            kid(cloud(40, 0), cloud(40, 1), PIXELS, subset=subset, subsets=subsets)
    assert np.isfinite(kid(cloud(40, 0), cloud(40, 1), PIXELS, subset=2))


class InRange(Pixels):
    value_range = (-1.0, 1.0)


def test_pixels_outside_of_the_features_range_are_refused():
    net = InRange().eval()
    good = cloud(40, 0).tanh()
    shown = (good + 1) / 2
    for scaled in (shown * 255, good.double() * 127.5):
        for pair in ((scaled, good), (good, scaled)):
            with pytest.raises(
                ValueError, match=r"these features were made for \[-1, 1\]: scale the pictures"
            ):
                fid(*pair, net)
        with pytest.raises(ValueError, match="scale the pictures"):
            kid(good, scaled, net, subset=20)
    with pytest.warns(UserWarning, match=r"made for \[-1, 1\]: are the pictures scaled to \[0, 1\]"):
        fid(good, shown, net)
    with pytest.warns(UserWarning, match=r"made for \[-1, 1\]: are the pictures scaled\?"):
        fid(good, good * 2, net)
    assert fid(good, good * 1.04, net) >= 0  # bicubic resizing overshoots
    from efficientlab.models.gan.features import FeatureNet

    assert FeatureNet.value_range == (-1.0, 1.0)


def test_features_that_are_kept_give_the_same_distances():
    real, fake = cloud(200, 0), cloud(200, 1, shift=0.5)
    r, f = features_of(real, PIXELS), features_of(fake, PIXELS)
    assert frechet_distance(r, f) == fid(real, fake, PIXELS)
    assert kernel_distance(r, f, subsets=10) == kid(real, fake, PIXELS, subsets=10)


def test_the_perceptual_distance_of_many_pictures_is_each_ones_own():
    a, b = cloud(BATCH + 3, 0), cloud(BATCH + 3, 1)
    together = perceptual_distance(a, b, PIXELS)
    assert together.shape == (BATCH + 3,)
    assert torch.allclose(together[-5:], perceptual_distance(a[-5:], b[-5:], PIXELS))
