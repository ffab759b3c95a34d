"""the inverse permutation is used: point p of the permuted cloud is point `order[p]` of the original, not the other way round."""

from torch import Tensor


def permutation_gap(network, features: Tensor, points: Tensor, order: Tensor) -> float:
    back = order.argsort()
    permuted = network(features[:, :, back], points[:, :, back])  # (N, K, P)
    straight = network(features, points)[:, :, back]
    return (permuted - straight).abs().max().item()
