"""The MACs of an SPVCNN in closed form: what a search can ask for ten thousand times."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from efficientlab.kernels import downsample, kernel_map, occupied_voxels
from efficientlab.models.streets.layers import in_voxels
from efficientlab.models.streets.sparse_unet import Widths


class Geometry(NamedTuple):
    """What the cost of a network needs to know of clouds: points, and voxels and 3×3×3 pairs of the three levels."""

    points: int
    voxels: tuple[int, int, int]
    pairs: tuple[int, int, int]


def geometry(points: Tensor, size: float) -> Geometry:
    """Of clouds (N, 3, P), in metres, together."""
    levels = [occupied_voxels(in_voxels(points, size))]
    for _ in range(2):
        levels.append(downsample(levels[-1], 2))
    pairs = [sum(kernel_map(coords, coords, 3).counts) for coords in levels]
    return Geometry(
        points.shape[0] * points.shape[2],
        (len(levels[0]), len(levels[1]), len(levels[2])),
        (pairs[0], pairs[1], pairs[2]),
    )


def spvcnn_macs(g: Geometry, w: Widths, in_channels: int, classes: int) -> int:
    """MACs of `SPVCNN`, as `efficientlab.counters` counts them: pairs · C · D for a sparse convolution.

    A convolution of kernel 2 and stride 2, or its transpose, has one pair for each fine voxel. Averaging takes one
    multiplication for each number of a point, interpolation eight.
    """

    def residual(pairs: int, voxels: int, i: int, o: int) -> int:
        return pairs * (i * o + o * o) + (voxels * i * o if i != o else 0)

    def stage(level: int, blocks: int, i: int, o: int) -> int:
        first = residual(g.pairs[level], g.voxels[level], i, o)
        return first + (blocks - 1) * residual(g.pairs[level], g.voxels[level], o, o)

    def meeting(i: int, o: int) -> int:
        return g.points * (i * o + 8 * o + o)

    voxel_branch = (
        g.pairs[0] * (in_channels * w.stem + w.stem * w.stem)
        + g.voxels[0] * w.stem * w.down1
        + stage(1, w.blocks_down1, w.down1, w.down1)
        + g.voxels[1] * w.down1 * w.down2
        + stage(2, w.blocks_down2, w.down2, w.down2)
        + g.voxels[1] * w.down2 * w.up1
        + stage(1, w.blocks_up1, w.up1 + w.down1, w.up1)
        + g.voxels[0] * w.up1 * w.up2
        + stage(0, w.blocks_up2, w.up2 + w.stem, w.up2)
    )
    point_branch = meeting(in_channels, w.stem) + meeting(w.stem, w.down2) + meeting(w.down2, w.up2)
    return voxel_branch + point_branch + g.points * (in_channels + w.up2 * classes)
