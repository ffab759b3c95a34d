import torch


def voxelize(points, features, size):
    """A dictionary from voxel to the points in it, sorted at the end."""
    cells = points.clone()
    cells[:, 1:] = torch.floor(points[:, 1:] / size)
    inside = {}
    for p, cell in enumerate(cells.to(torch.int64).tolist()):
        inside.setdefault(tuple(cell), []).append(p)
    coords = sorted(inside)
    row = torch.empty(len(points), dtype=torch.int64)
    for v, cell in enumerate(coords):
        row[inside[cell]] = v
    mean = torch.stack([features[inside[cell]].mean(0) for cell in coords])
    return torch.tensor(coords), row, mean
