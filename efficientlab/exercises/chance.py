"""Limits for judges of random procedures: a right answer passes them but once in a million times, by a proven bound."""

from __future__ import annotations

import math

import torch
from torch import Tensor

ALARM = 1e-6
"""How often a right answer may be rejected by one judge, at most."""


def mean_limit(draws: int, variance: float, largest: float, tests: int = 1) -> float:
    """How far the mean of independent draws may lie from what is expected, for `tests` such means together.

    Each draw has this `variance` and lies within `largest` of its expectation.

    Bernstein's inequality: P(|mean − μ| ≥ t) ≤ 2 exp(−n t² / (2 σ² + 2 b t / 3)) for draws within b of μ. Solved for t
    where the right side is `ALARM` / `tests`.
    """
    exponent = math.log(2 * tests / ALARM)
    linear = largest * exponent / 3
    return (linear + math.sqrt(linear**2 + 2 * draws * variance * exponent)) / draws


def uniform_moments(count: int) -> tuple[float, float]:
    """Mean and variance of 0 … count − 1, all equally likely."""
    return (count - 1) / 2, (count**2 - 1) / 12


def dependent(rows: Tensor, mean: float | Tensor, variance: float | Tensor) -> bool:
    """Whether quantities that should be independent are not: rows (K, n) of n draws with this mean and variance.

    The products of two standardised rows have mean 0 and variance 1 if the rows are independent.
    """
    scaled = (rows.double() - mean) / torch.as_tensor(variance, dtype=torch.float64).sqrt()
    products = scaled @ scaled.T / rows.shape[1]  # (K, K)
    pairs = torch.triu(torch.ones_like(products), 1).bool()
    limit = mean_limit(rows.shape[1], 1.0, 3.0, max(1, int(pairs.sum())))  # a uniform draw lies within √3 σ
    return bool((products[pairs].abs() > limit).any())


def uneven(seen: Tensor) -> bool:
    """Whether counts (count,) of draws from `count` values, all equally likely, are further from even than chance.

    χ² against Laurent and Massart's bound of its distribution's tail.
    """
    expected = seen.sum().double() / len(seen)
    surplus = ((seen - expected).square() / expected).sum().item()
    exponent, freedom = math.log(1 / ALARM), len(seen) - 1
    return surplus > freedom + 2 * math.sqrt(freedom * exponent) + 2 * exponent


def not_uniform(values: Tensor, low: float, high: float) -> bool:
    """Whether draws (n,) are not uniform between two ends: Kolmogorov and Smirnov's distance, by the DKW bound."""
    ordered = (values.sort().values.double() - low) / (high - low)
    steps = torch.arange(len(values) + 1, dtype=torch.float64) / len(values)
    gap = torch.maximum(ordered - steps[:-1], steps[1:] - ordered).max().item()
    return gap > math.sqrt(math.log(2 / ALARM) / (2 * len(values)))


def binomial_tail(successes: int, tries: int, probability: float) -> float:
    """P(at most `successes` of `tries`), each with this probability."""
    return sum(
        math.comb(tries, k) * probability**k * (1 - probability) ** (tries - k) for k in range(successes + 1)
    )
