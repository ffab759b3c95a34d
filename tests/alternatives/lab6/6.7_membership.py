import torch


def point_to_voxel(features, points, coords, stride):
    """A matrix of zeros and ones, voxels by points, whose rows are divided by their sums."""
    cells = torch.cat([points[:, :1], torch.floor(points[:, 1:] / stride)], 1)
    member = (coords[:, None].to(cells.dtype) == cells[None]).all(2).to(features.dtype)  # (V, P)
    return member @ features / member.sum(1, keepdim=True).clamp(min=1)
