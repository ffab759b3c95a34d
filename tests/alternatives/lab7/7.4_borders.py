import torch
from torch import Tensor


def cell_index(
    points: Tensor,
    street: Tensor,
    x: tuple[float, float, float],
    y: tuple[float, float, float],
    z: tuple[float, float],
) -> Tensor:
    """By searching the borders of the cells."""
    number, inside = street.clone(), torch.ones_like(street, dtype=torch.bool)
    for place, (start, stop, step) in zip(points.T[:2], (x, y), strict=True):
        count = round((stop - start) / step)
        borders = start + step * torch.arange(count + 1, dtype=points.dtype)
        k = torch.searchsorted(borders, place.contiguous(), right=True) - 1
        inside &= (k >= 0) & (k < count)
        number = number * count + k
    height = points[:, 2]
    return number.masked_fill(~inside | (height < z[0]) | (height >= z[1]), -1)
