"""Farthest point sampling: points that cover a cloud.

    s[0] = 0,  s[m] = argmax_p min_{j<m} ‖x[p] − x[s[j]]‖²

Of equally far points the first is taken. Qi et al., "PointNet++" (NeurIPS 2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from efficientlab.kernels.backend import kernel, nbytes, register_cost, use_triton, whole
from efficientlab.kernels.points.group import check_points, to_unit

if TYPE_CHECKING:
    import triton.language as tl


def farthest_point_sample(points: Tensor, n_samples: int) -> Tensor:
    """Choose points that cover the cloud: each next one is the farthest from those chosen before.

    Args:
        points: (N, 3, P), real.
        n_samples: M ≤ P.

    Returns:
        (N, M) int64, indices of points, the first of them 0.

    Raises:
        ValueError: points is not (N, 3, P) or holds NaN or infinity, or M is not in [1, P].
        TypeError: points are not real, or M is no whole number.
    """
    check_points("points", points)
    n_samples = whole("n_samples", n_samples)
    if not 1 <= n_samples <= points.shape[2]:
        raise ValueError(
            f"n_samples must be in [1, {points.shape[2]}], the points of a cloud, got {n_samples}"
        )
    return _sample(points.detach(), n_samples)


# --------------------------------------------------------------------------------------------- the op


@torch.library.custom_op("efficientlab::farthest_point_sample", mutates_args=())
def _sample(points: Tensor, n_samples: int) -> Tensor:
    (points,), _ = to_unit(points=points)
    in_registers = points.shape[2] <= _MOST_POINTS
    return (_sample_triton if use_triton(points) and in_registers else _sample_torch)(points, n_samples)


def _sample_torch(points: Tensor, n_samples: int) -> Tensor:
    n, _, p = points.shape
    chosen = torch.zeros(n, n_samples, dtype=torch.int64, device=points.device)
    gap = points.new_full((n, p), torch.inf)  # squared distance to the nearest chosen point
    for m in range(1, n_samples):
        last = chosen[:, m - 1, None, None].expand(-1, 3, 1)
        distance = (points - points.gather(2, last)).square_().sum(1)  # (N, P)
        torch.minimum(gap, distance, out=gap)
        chosen[:, m] = gap.argmax(1)
    return chosen


# -------------------------------------------------------------------------------------- Triton kernel

_MOST_POINTS = 8192  # of a cloud, that one program can keep in registers


def _sample_triton(points: Tensor, n_samples: int) -> Tensor:
    n, _, p = points.shape
    chosen = torch.empty(n, n_samples, dtype=torch.int64, device=points.device)
    if n:
        block = max(32, 1 << (p - 1).bit_length())
        warps = min(32, max(1, block // 256))
        _sample_kernel[(n,)](points, chosen, p, n_samples, BLOCK=block, num_warps=warps)
    return chosen


@kernel
def _sample_kernel(
    points: tl.tensor, chosen: tl.tensor, count: tl.tensor, samples: tl.tensor, BLOCK: tl.constexpr
) -> None:
    """One program a cloud, which stays in registers."""
    points += tl.program_id(0).to(tl.int64) * 3 * count
    chosen += tl.program_id(0).to(tl.int64) * samples
    i = tl.arange(0, BLOCK)
    x = tl.load(points + i, mask=i < count, other=0.0)
    y = tl.load(points + count + i, mask=i < count, other=0.0)
    z = tl.load(points + 2 * count + i, mask=i < count, other=0.0)
    gap = tl.where(i < count, x * 0 + float("inf"), -1.0)
    last = tl.program_id(0) * 0
    for m in range(samples):
        tl.store(chosen + m, last.to(tl.int64))
        dx = x - tl.load(points + last)
        dy = y - tl.load(points + count + last)
        dz = z - tl.load(points + 2 * count + last)
        gap = tl.minimum(gap, dx * dx + dy * dy + dz * dz)
        last = tl.min(tl.where(gap == tl.max(gap, 0), i, BLOCK), 0)


# --------------------------------------------------------------------------------------- registration


@_sample.register_fake
def _(points: Tensor, n_samples: int) -> Tensor:
    return points.new_empty(len(points), n_samples, dtype=torch.int64)


def _sample_macs(points: Tensor, n_samples: int, out: Tensor) -> int:
    return (n_samples - 1) * points.numel()


register_cost(_sample, macs=_sample_macs, moved=lambda points, n_samples, out: nbytes(points, out))
