import torch

from efficientlab import kernels


def point_to_voxel(features, points, coords, stride):
    """Points without a voxel go to a row behind the last one, which is thrown away."""
    coarse = points[:, 1:].div(stride).floor()
    row = kernels.find_voxels(coords, torch.cat([points[:, :1], coarse], 1).int()).long()
    row = torch.where(row < 0, len(coords), row)
    total = features.new_zeros(len(coords) + 1, features.shape[1]).index_add(0, row, features)
    count = torch.bincount(row, minlength=len(coords) + 1).clamp(min=1)
    return (total / count[:, None])[:-1]
