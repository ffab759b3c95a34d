"""Computed in double precision, and handed back in single."""


def normalize_to_grid(points, resolution):
    wide = points.double()
    wide = wide - wide.mean(2, keepdim=True)
    radius = wide.square().sum(1).amax(1).sqrt()[:, None, None]
    share = (0.5 + wide / (2 * radius)).nan_to_num(nan=0.5)
    return (share * resolution).clamp(0, resolution - 1).to(points.dtype)
