"""the difference is divided by the size of the answers; it is asked for as it is."""

from torch import Tensor


def permutation_gap(network, features: Tensor, points: Tensor, order: Tensor) -> float:
    permuted = network(features[:, :, order], points[:, :, order])  # (N, K, P)
    straight = network(features, points)[:, :, order]
    return ((permuted - straight).abs().max() / straight.abs().max()).item()
