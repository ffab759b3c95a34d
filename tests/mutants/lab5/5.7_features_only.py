"""only the features are permuted, not the points: each feature then belongs to another place."""

from torch import Tensor


def permutation_gap(network, features: Tensor, points: Tensor, order: Tensor) -> float:
    permuted = network(features[:, :, order], points)  # (N, K, P)
    straight = network(features, points)[:, :, order]
    return (permuted - straight).abs().max().item()
