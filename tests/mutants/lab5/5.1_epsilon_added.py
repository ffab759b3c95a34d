"""a small number is added to the diameter, so that small clouds shrink: only a diameter of 0 is special."""

from torch import Tensor


def normalize_to_grid(points: Tensor, resolution: int) -> Tensor:
    """Fit each cloud into a grid of R = resolution voxels along an axis.

    Shapes: points (N, 3, P), any unit; returns (N, 3, P), in [0, R − 1].
    """
    centred = points - points.mean(2, keepdim=True)
    radius = centred.norm(dim=1, keepdim=True).amax(2, keepdim=True)  # (N, 1, 1)
    return (resolution * (0.5 + centred / (2 * radius + 1e-5))).clamp(0, resolution - 1)
