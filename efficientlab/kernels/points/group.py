"""Points without a grid, the operations of PointNet++: what they share, and grouping.

    group: y[:, m, k] = f[:, i[m, k]]

`farthest` chooses centres, `near` finds their neighbours. Of several equal candidates the one with the
lowest index is taken, everywhere. Those two choose indices and have no gradient; grouping has.

Qi, Yi, Su and Guibas, "PointNet++: Deep Hierarchical Feature Learning on Point Sets in a Metric Space"
(NeurIPS 2017).
"""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor

from efficientlab.kernels.backend import INTEGERS, nbytes, register_cost
from efficientlab.kernels.gather import weighted_gather
from efficientlab.kernels.scale import largest_of, unit_power


def group(features: Tensor, index: Tensor) -> Tensor:
    """Gather the features of each group's points.

    Args:
        features: (N, C, P), real. Fastest where a point's features are contiguous.
        index: (N, M, K) or (N, M), integers in [0, P).

    Returns:
        (N, C, M, K) or (N, C, M), differentiable in features, with the features of a point contiguous.

    Raises:
        ValueError: shapes do not fit, or an index is out of range.
        TypeError: features are not real, index holds no integers, or they are on different devices.
    """
    if features.ndim != 3 or index.ndim not in {2, 3} or len(features) != len(index):
        raise ValueError(
            f"features must be (N, C, P) and index (N, M, K) or (N, M), "
            f"got {tuple(features.shape)} and {tuple(index.shape)}"
        )
    if not features.is_floating_point() or index.dtype not in INTEGERS:
        raise TypeError(f"features must be real and index integers, got {features.dtype} and {index.dtype}")
    if features.device != index.device:
        raise TypeError(f"features are on {features.device}, index on {index.device}")
    n, channels, points = features.shape
    if n * points >= 2**31:
        raise ValueError(f"{n} clouds of {points} points are more than the 2³¹ that an index can count")
    rows = features.transpose(1, 2).reshape(n * points, channels)
    gathered = weighted_gather(rows, _batched_rows(index, points)[:, None], None)
    return gathered.view(*index.shape, channels).movedim(-1, 1)


@torch.library.custom_op("efficientlab::batched_rows", mutates_args=())
def _batched_rows(index: Tensor, points: int) -> Tensor:
    """(N · M · K,) int32: index into the rows of a batch of clouds with as many points each."""
    if index.numel():
        low, high = torch.stack(index.aminmax()).tolist()
        if low < 0 or high >= points:
            raise ValueError(f"index must be in [0, {points}), the points of a cloud, got {low} to {high}")
    start = torch.arange(len(index), dtype=torch.int32, device=index.device) * points
    return (index.int() + start.view(-1, *[1] * (index.ndim - 1))).flatten()


@_batched_rows.register_fake
def _(index: Tensor, points: int) -> Tensor:
    return index.new_empty(index.numel(), dtype=torch.int32)


register_cost(_batched_rows, moved=lambda index, points, out: nbytes(index, out))


# ---------------------------------------------------------------------------------------------- checks


def check_points(name: str, points: Tensor) -> None:
    if points.ndim != 3 or points.shape[1] != 3:
        raise ValueError(f"{name} must be (N, 3, P), got {tuple(points.shape)}")
    if not points.is_floating_point():
        raise TypeError(f"{name} must be real, got {points.dtype}")


def check_pair(points: Tensor, centres: Tensor) -> None:
    check_points("points", points)
    check_points("centres", centres)
    if len(points) != len(centres):
        raise ValueError(f"points are a batch of {len(points)}, centres of {len(centres)}")
    if not points.shape[2]:
        raise ValueError("there is no point to find")
    if points.dtype != centres.dtype or points.device != centres.device:
        raise TypeError(
            f"points are {points.dtype} on {points.device}, centres {centres.dtype} on {centres.device}"
        )


def to_unit(**clouds: Tensor) -> tuple[list[Tensor], Tensor | None]:
    """The clouds in float32 at least, where no square over- or underflows.

    Returns:
        the clouds, contiguous.
        the power of two (N, 1, 1) that each was multiplied by; None where none had to be, as nearly always.

    Raises:
        ValueError: one holds NaN or infinity.
    """
    wide = [cloud.to(torch.promote_types(cloud.dtype, torch.float32)) for cloud in clouds.values()]
    largest = {name: largest_of(cloud) for name, cloud in zip(clouds, wide, strict=True) if cloud.shape[2]}
    most = torch.stack(list(largest.values())).amax(0)  # (N, 1, 1), NaN where there is one
    if not most.numel():
        return [cloud.contiguous() for cloud in wide], None
    least, greatest = torch.stack(most.aminmax()).tolist()
    if not greatest < inf:
        name = next(name for name, each in largest.items() if not each.isfinite().all())
        raise ValueError(f"{name} hold NaN or infinity, which are near to nothing")
    if _MODERATE[0] < least and greatest < _MODERATE[1]:
        return [cloud.contiguous() for cloud in wide], None
    power = unit_power(most)
    return [(cloud * power).contiguous() for cloud in wide], power


_MODERATE = 2.0**-40, 2.0**40
