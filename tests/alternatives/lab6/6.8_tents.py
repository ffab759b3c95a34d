import torch


def voxel_to_point(features, coords, points, stride):
    """Every voxel and every point: a tent of width 1 along each axis."""
    at = points[:, 1:] / stride
    tent = (1 - (at[:, None] - coords[None, :, 1:]).abs()).clamp(min=0).prod(2)  # (P, V)
    tent = tent * (points[:, None, 0] == coords[None, :, 0])
    share = tent / (tent.sum(1, keepdim=True) + 1e-8)
    return torch.einsum("pv,vc->pc", share.to(features.dtype), features)
