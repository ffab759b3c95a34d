import torch
import torch.nn.functional as F


def avg_voxelize(features, coords, resolution):
    """A matrix of zeros and ones, voxels by points, whose rows are divided by their sums."""
    i, j, k = torch.round(coords).long().transpose(0, 1)
    voxel = i * resolution**2 + j * resolution + k
    member = F.one_hot(voxel, resolution**3).to(features.dtype)  # (N, P, R³)
    share = member / member.sum(1, keepdim=True).clamp(min=1)
    grid = torch.einsum("ncp,npv->ncv", features, share)
    return grid.reshape(*features.shape[:2], resolution, resolution, resolution)
