"""the mean difference is given, not the largest."""

from torch import Tensor


def permutation_gap(network, features: Tensor, points: Tensor, order: Tensor) -> float:
    permuted = network(features[:, :, order], points[:, :, order])  # (N, K, P)
    straight = network(features, points)[:, :, order]
    return (permuted - straight).abs().mean().item()
