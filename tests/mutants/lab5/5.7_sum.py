"""the differences are summed; it is the largest that counts."""

from torch import Tensor


def permutation_gap(network, features: Tensor, points: Tensor, order: Tensor) -> float:
    permuted = network(features[:, :, order], points[:, :, order])  # (N, K, P)
    straight = network(features, points)[:, :, order]
    return (permuted - straight).abs().sum().item()
