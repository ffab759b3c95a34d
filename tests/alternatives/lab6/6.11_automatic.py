import torch


def sparse_conv_grads(grad, x, weight, pairs):
    """One pair at a time, as the sums are written."""
    to_x, to_weight = torch.zeros_like(x), torch.zeros_like(weight)
    for k, pair in enumerate(pairs):
        for i, o in pair.tolist():
            to_x[i] += weight[k] @ grad[o]
            to_weight[k] += torch.outer(x[i], grad[o])
    return to_x, to_weight
