import torch
import torch.nn.functional as F


def voxelize(points, features, size):
    """A dense table of which point is in which voxel, and a list in place of a tuple."""
    cells = torch.hstack([points[:, :1], points[:, 1:].div(size, rounding_mode="floor")]).long()
    coords, row = torch.unique(cells, dim=0, return_inverse=True)
    member = F.one_hot(row, len(coords)).to(features)  # (P, V)
    return [coords, row, member.T @ features / member.sum(0)[:, None]]
