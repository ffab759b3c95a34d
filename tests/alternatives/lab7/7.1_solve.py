import torch
from torch import Tensor


def pixel_to_rig(
    pixels: Tensor, depth: Tensor, intrinsics: Tensor, rotation: Tensor, place: Tensor, augment: Tensor
) -> Tensor:
    """One system of equations for both matrices, and one point at a time."""
    points = []
    for (u, v), d in zip(pixels, depth, strict=True):
        pixel = torch.stack([u, v, torch.ones_like(u)])
        ray = torch.linalg.solve(augment @ intrinsics, pixel)
        points.append(rotation @ (d * ray) + place)
    return torch.stack(points)
