"""How far are generated pictures from real ones: FID, KID and a perceptual distance, in given features.

FID and KID compare two *sets* through the features of a classifier, both by torchmetrics. The perceptual distance
compares two *pictures*. The features are a module of yours, such as `models.features.load_features`: nothing is
downloaded, and figures compare only with figures in the same features.
"""

from __future__ import annotations

import warnings
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.kernels.backend import whole
from efficientlab.seeding import seeded
from efficientlab.training.finite import finite

OVERSHOOT = 0.05  # of the pixels' range: what bicubic resizing may leave beyond both ends
REFUSED = 2.0  # of the range: noise of unit variance lies within, pixels of [0, 255] do not
BATCH = 250  # pictures a forward pass; results do not depend on it beyond rounding


class Maps(Protocol):
    """What gives the feature maps of pictures, such as `models.features.FeatureNet`."""

    def maps(self, x: Tensor) -> list[Tensor]: ...


def fid(real: Tensor, fake: Tensor, features: nn.Module) -> float:
    """Fréchet distance of two sets of pictures, each taken as a normal distribution of features.

        FID = |μ_r − μ_f|² + tr(Σ_r + Σ_f − 2 (Σ_r Σ_f)^½)

    with the means μ and covariances Σ of the features, in float64. 0 for a set and itself up to rounding, never
    below, and larger the further apart. Small sets are overrated: a set's own halves are not at 0. So compare
    sets of the same sizes.

    Args:
        real, fake: pictures (N, C, H, W) as `features` takes them. The sets may differ in number.
        features: pictures (N, C, H, W) → (N, D), frozen and in evaluation mode.

    Raises:
        ValueError: D pictures or fewer in a set (its covariance would be singular); a feature that is not finite;
            pixels far outside of the range that the features were made for; `features` is in training mode.

    Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium" (NIPS 2017).
    """
    return frechet_distance(features_of(real, features), features_of(fake, features))


def frechet_distance(r: Tensor, f: Tensor) -> float:
    """`fid` of two sets of features (N, D), for a set that is measured against more than once."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    r, f = _features(r, f)
    for name, count in (("real", len(r)), ("fake", len(f))):
        if count <= r.shape[1]:
            raise ValueError(
                f"FID needs more than {r.shape[1]} {name} pictures, one more than there are features, got {count}"
            )
    distance = _compare(FrechetInceptionDistance(_Given(r)), r, f)
    return max(0.0, float(finite(distance, "distances")))  # the root of a singular Σ_r Σ_f errs to both sides


def kid(real: Tensor, fake: Tensor, features: nn.Module, *, subset: int = 100, subsets: int = 50) -> float:
    """Kernel distance of two sets of pictures: the squared maximum mean discrepancy of their features.

    The kernel is (x·y / D + 1)³. The estimate is unbiased, so sets of one distribution are at 0 on average, and
    small sets are not overrated. It is the mean over subsets, drawn with a seed of their own.

    Args:
        real, fake, features: as for `fid`.
        subset: pictures of each set in one estimate, at least 2: a pair of each is what the estimate averages.
        subsets: estimates to average.

    Raises:
        ValueError: fewer pictures than `subset` in a set, or `subset` below 2, or no subsets; a feature that is not
            finite; pixels far outside of the features' range; `features` in training mode.

    Bińkowski et al., "Demystifying MMD GANs" (ICLR 2018).
    """
    return kernel_distance(
        features_of(real, features), features_of(fake, features), subset=subset, subsets=subsets
    )


def kernel_distance(r: Tensor, f: Tensor, *, subset: int = 100, subsets: int = 50) -> float:
    """`kid` of two sets of features (N, D), for a set that is measured against more than once."""
    from torchmetrics.image.kid import KernelInceptionDistance

    r, f = _features(r, f)
    if whole("subset", subset) < 2 or whole("subsets", subsets) < 1:
        raise ValueError(f"KID needs subsets of at least 2 pictures, got subset={subset}, subsets={subsets}")
    for name, count in (("real", len(r)), ("fake", len(f))):
        if count < subset:
            raise ValueError(f"KID needs at least `subset` = {subset} {name} pictures, got {count}")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Metric `Kernel Inception Distance` will save all")
        metric = KernelInceptionDistance(_Given(r), subsets=subsets, subset_size=subset)
    with seeded(0):  # torchmetrics draws its subsets from the global generator
        mean, _ = _compare(metric, r, f)
    return float(finite(mean, "distances"))


def _features(r: Tensor, f: Tensor) -> tuple[Tensor, Tensor]:
    """Both sets in float64: torchmetrics gives its result in the dtype of the features, of integers a whole number."""
    if r.ndim != 2 or f.ndim != 2 or r.shape[1] != f.shape[1] or r.is_complex() or f.is_complex():
        raise ValueError(
            f"features must be real (N, D) of one D, got {r.dtype} {tuple(r.shape)} and {f.dtype} {tuple(f.shape)}"
        )
    return finite(r.double(), "features"), finite(f.double(), "features")


def perceptual_distance(a: Tensor, b: Tensor, features: Maps) -> Tensor:
    """How differently two pictures look to a network, for each pair; differentiable, so also a loss.

        d(a, b) = mean over stages l of  mean over positions of  |φ̂_l(a) − φ̂_l(b)|²

    where φ̂_l are the feature maps of stage l, scaled to length 1 over the channels at each position. This is LPIPS
    without its learnt weights of channels. 0 for equal pictures, at most 4.

    Args:
        a, b: pictures (N, C, H, W).
        features: gives the maps, such as `FeatureNet`.

    Returns:
        (N,) distances.

    Raises:
        ValueError: a and b differ in shape.

    Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric" (CVPR 2018).
    """
    if a.shape != b.shape:
        raise ValueError(f"pictures are compared in pairs: got shapes {tuple(a.shape)} and {tuple(b.shape)}")
    parts = zip(a.split(BATCH), b.split(BATCH), strict=True)
    return torch.cat([_perceptual(x, y, features) for x, y in parts])  # (N,)


def _perceptual(a: Tensor, b: Tensor, features: Maps) -> Tensor:
    stages = [
        (F.normalize(x, dim=1, eps=1e-6) - F.normalize(y, dim=1, eps=1e-6)).square().sum(1).mean((1, 2))
        for x, y in zip(features.maps(a), features.maps(b), strict=True)
    ]
    return torch.stack(stages).mean(0)  # (N,)


@torch.no_grad()
def features_of(pictures: Tensor, features: nn.Module) -> Tensor:
    """Features (N, D), float64, of pictures (N, C, H, W): in batches, and checked to be finite.

    Where `features` has a `value_range` of pixels, as `FeatureNet` has, a set that leaves it, or its lower half
    empty, gets a warning, and one far outside is refused.
    """
    if any(module.training for module in features.modules()):
        raise ValueError("the features are in training mode and would change as they measure; call eval()")
    if pictures.ndim != 4:
        raise ValueError(f"pictures must be (N, C, H, W), got {tuple(pictures.shape)}")
    if not len(pictures):
        raise ValueError("there are no pictures to measure")
    _check_range(pictures, getattr(features, "value_range", None))
    values = torch.cat([features(part) for part in pictures.split(BATCH)])  # (N, D)
    if values.shape[:1] != pictures.shape[:1] or values.ndim != 2 or values.is_complex():
        raise ValueError(
            f"features must be real (N, D), N = {len(pictures)}; got {values.dtype} {tuple(values.shape)}"
        )
    values = values.double()
    if not values.isfinite().all():
        raise ValueError("a feature is not finite: are there NaN or infinite pixels?")
    return values


def _check_range(pictures: Tensor, value_range: tuple[float, float] | None) -> None:
    if value_range is None or not pictures.is_floating_point():
        return  # the features themselves say what they think of integers
    low, high = value_range
    width, least, most = high - low, pictures.min().item(), pictures.max().item()
    pixels = f"pixels are {least:.4g} to {most:.4g}, but these features were made for [{low:g}, {high:g}]"
    if least < low - REFUSED * width or most > high + REFUSED * width:  # NaN passes: its features are refused
        raise ValueError(f"{pixels}: scale the pictures")
    if least < low - OVERSHOOT * width or most > high + OVERSHOOT * width:
        warnings.warn(f"{pixels}: are the pictures scaled?", stacklevel=4)
    elif least >= (low + high) / 2:
        warnings.warn(f"{pixels}: are the pictures scaled to [0, 1]?", stacklevel=4)


class _Given(nn.Module):
    """Hands on features that are already computed, so that torchmetrics sees what was checked above."""

    def __init__(self, values: Tensor) -> None:
        super().__init__()
        self.num_features = values.shape[1]

    def forward(self, values: Tensor) -> Tensor:
        return values


def _compare(metric: Any, real: Tensor, fake: Tensor) -> Any:
    metric.update(real, real=True)
    metric.update(fake, real=False)
    return metric.compute()
