from itertools import product

import torch

from efficientlab import kernels


def voxel_to_point(features, coords, points, stride):
    """All eight corners at once; what is missing reads a row of zeros behind the last."""
    at = torch.cat([points[:, :1], points[:, 1:] / stride], 1)
    corners = at.floor()[:, None] + at.new_tensor([[0, *a] for a in product((0, 1), repeat=3)])  # (P, 8, 4)
    row = kernels.find_voxels(coords, corners.flatten(0, 1).int()).view(-1, 8).long()
    weight = (1 - (at[:, None] - corners).abs())[..., 1:].prod(-1).masked_fill(row < 0, 0)  # (P, 8)
    padded = torch.cat([features, features.new_zeros(1, features.shape[1])])
    return torch.einsum("pa,pac->pc", weight, padded[row]) / (weight.sum(1, keepdim=True) + 1e-8)
