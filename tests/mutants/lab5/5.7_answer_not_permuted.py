"""the straight answer is not permuted, so different points are compared."""

from torch import Tensor


def permutation_gap(network, features: Tensor, points: Tensor, order: Tensor) -> float:
    permuted = network(features[:, :, order], points[:, :, order])  # (N, K, P)
    straight = network(features, points)
    return (permuted - straight).abs().max().item()
