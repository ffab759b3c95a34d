import torch


def permutation_gap(network, features, points, order):
    """Permute, answer, and put the answer back."""
    back = torch.empty_like(order)
    back[order] = torch.arange(len(order))
    answer = network(features.index_select(2, order), points.index_select(2, order))
    return float(torch.max(torch.abs(network(features, points) - answer[..., back])))
