"""the straight answer is permuted by the inverse permutation."""

from torch import Tensor


def permutation_gap(network, features: Tensor, points: Tensor, order: Tensor) -> float:
    permuted = network(features[:, :, order], points[:, :, order])  # (N, K, P)
    straight = network(features, points)[:, :, order.argsort()]
    return (permuted - straight).abs().max().item()
