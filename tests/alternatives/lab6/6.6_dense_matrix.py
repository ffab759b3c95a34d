import torch


def up_and_join(x, skip, weight, pairs):
    """Each offset as a matrix of zeros and ones, fine by coarse."""
    total = 0
    for k in range(len(pairs)):
        leads = torch.zeros(len(skip), len(x), dtype=x.dtype)
        leads[pairs[k][:, 0], pairs[k][:, 1]] = 1
        total = total + leads @ (x @ weight[k])
    return torch.hstack([total, skip])
