import torch


def normalize_to_grid(points, resolution):
    grids = []
    for cloud in points:
        centred = cloud - cloud.mean(1)[:, None]
        diameter = 2 * (centred**2).sum(0).sqrt().max()
        if diameter > 0:
            centred = centred / diameter
        grids.append(torch.clamp((centred + 0.5) * resolution, 0, resolution - 1))
    return torch.stack(grids)
