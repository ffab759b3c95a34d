"""a cloud whose points all coincide becomes nan: 0 is divided by 0."""

from torch import Tensor


def normalize_to_grid(points: Tensor, resolution: int) -> Tensor:
    centred = points - points.mean(2, keepdim=True)
    radius = centred.norm(dim=1, keepdim=True).amax(2, keepdim=True)  # (N, 1, 1)
    scaled = centred / (2 * radius)
    return (resolution * (0.5 + scaled)).clamp(0, resolution - 1)
