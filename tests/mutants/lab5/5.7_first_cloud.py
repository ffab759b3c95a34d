"""only the first cloud of the batch is compared."""

from torch import Tensor


def permutation_gap(network, features: Tensor, points: Tensor, order: Tensor) -> float:
    permuted = network(features[:, :, order], points[:, :, order])  # (N, K, P)
    straight = network(features, points)[:, :, order]
    return (permuted - straight)[:1].abs().max().item()
