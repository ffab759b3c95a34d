"""Bird's-eye-view pooling: image features, spread along their rays by depth, summed in the cells of a grid.

    y[cell] = Σ over the points in cell  depth[point] · features[pixel of point]

Every pixel of a camera has D candidate depths, hence D points in space. The plain form ("lift") makes
depth × features for every point, D times the features, before it sums. Here a product is made as it is
added: the lifted tensor never exists. As the geometry of a rig is fixed, the points are sorted by cell once.

With G a weight for every cell and channel, and L = Σ depth[point] <features[pixel], G[cell]>, pooling is
∂L/∂G, and training needs ∂L/∂features and ∂L/∂depth. Each is linear in its two operands, and their gradients
are the other two.

A column of pixels sees, at one depth, mostly one cell: its points differ in height only. So pixels are kept
column by column, Q = N · M · W · H of them, depth as (Q, D) and features as (Q, C): what falls into one cell
then lies together.

Philion and Fidler, "Lift, Splat, Shoot" (ECCV 2020); Liu et al., "BEVFusion" (ICRA 2023).
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from efficientlab.kernels.backend import (
    check_numbers,
    kernel,
    nbytes,
    refuse_transforms,
    register_cost,
    use_triton,
)
from efficientlab.kernels.gather import bag_ends, sum_bags

if TYPE_CHECKING:
    import triton.language as tl


class BEVGrid(NamedTuple):
    """A grid on the ground: cells of `step` from `start` to `stop`, in metres, and the heights that count."""

    x: tuple[float, float, float]
    """(start, stop, step)"""
    y: tuple[float, float, float]
    """(start, stop, step)"""
    z: tuple[float, float]
    """(lowest, highest); points at the lowest count, points at the highest do not"""

    @property
    def cells(self) -> tuple[int, int]:
        """(X, Y), the number of cells along each axis.

        Raises:
            ValueError: a step is not positive, or does not divide its range into whole cells.
        """
        return _cells("x", self.x), _cells("y", self.y)


def _cells(axis: str, ends: tuple[float, float, float]) -> int:
    if len(ends) != 3:
        raise ValueError(f"{axis} must be (start, stop, step), got {ends}")
    start, stop, step = ends
    if not (step > 0 and isfinite(start) and isfinite(stop) and isfinite(step)):
        raise ValueError(
            f"{axis} must be (start, stop, step) with a positive step, got {(start, stop, step)}"
        )
    exact = (stop - start) / step
    cells = round(exact)
    if abs(exact - cells) > _WHOLE * max(abs(exact), 1):
        raise ValueError(
            f"{axis}: a step of {step:g} does not divide [{start:g}, {stop:g}] into whole cells, but into "
            f"{exact:.4g}; a stop of {start + cells * step:g} gives {cells}"
        )
    return cells


_WHOLE = 1e-6  # relative: what the rounding of three decimal numbers may leave


class BEVIndex(NamedTuple):
    """Which point falls into which cell, in the orders that pooling and its gradients read; see `bev_index`."""

    shape: tuple[int, int, int, int, int]
    """(N, M, D, H, W)"""
    cells: tuple[int, int]
    """(X, Y)"""
    cell: Tensor
    """(Q, D) int32: the cell of every point, −1 outside the grid."""
    by_cell: tuple[Tensor, Tensor, Tensor]
    """Point and pixel of every point inside, sorted by cell, and where each cell begins; all int32."""
    by_pixel: tuple[Tensor, Tensor, Tensor]
    """Point and cell of every point inside, sorted by pixel, and where each pixel begins; all int32."""


@torch.inference_mode(False)  # an index made in evaluation serves training, too
def bev_index(points: Tensor, grid: BEVGrid) -> BEVIndex:
    """Find the cell of every point. Make it once where the cameras do not move, and pool with it many times.

    The cell of a coordinate is floor((x − start) / step): −0.1 cells lies outside, not in cell 0. Points
    outside the grid in x, y or z are dropped.

    Args:
        points: (N, M, D, H, W, 3), metres: for each of M cameras, where the D depths of each pixel lie in the
            frame of the grid.
        grid: the cells.

    Raises:
        ValueError: points has another shape or holds NaN; the grid has no cells or no heights, or a step that does
            not divide its range.
        TypeError: points are not real numbers.
    """
    if points.ndim != 6 or points.shape[-1] != 3:
        raise ValueError(f"points must be (N, M, D, H, W, 3), got shape {tuple(points.shape)}")
    check_numbers("points", points)
    n, m, d, h, w, _ = points.shape
    columns, rows = cells = grid.cells
    if columns < 1 or rows < 1:
        raise ValueError(f"the grid has no cells: x {grid.x} and y {grid.y} give {columns} × {rows}")
    if len(grid.z) != 2 or not grid.z[0] < grid.z[1]:
        raise ValueError(f"the grid has no heights: z must be (lowest, highest), got {grid.z}")
    if points.isnan().any():
        raise ValueError("points holds NaN; check the camera matrices that it was made with")
    if points.numel() >= 2**31 or n * columns * rows >= 2**31:
        raise ValueError(
            f"{points.numel() // 3} points and {n * columns * rows} cells are too many for int32"
        )
    # a cell of 0.5 m is lost in half precision
    points = points.to(torch.promote_types(points.dtype, torch.float32))
    x, y, z = points.permute(5, 0, 1, 4, 3, 2).flatten(1, 4)  # (Q, D) each
    i = ((x - grid.x[0]) / grid.x[2]).floor()
    j = ((y - grid.y[0]) / grid.y[2]).floor()
    inside = (i >= 0) & (i < columns) & (j >= 0) & (j < rows) & (z >= grid.z[0]) & (z < grid.z[1])
    image = torch.arange(n, device=x.device).repeat_interleave(m * w * h)[:, None]
    i, j = (torch.where(inside, v, 0).long() for v in (i, j))
    cell = torch.where(inside, (image * columns + i) * rows + j, -1).int().contiguous()

    point = cell.flatten().ge(0).nonzero()[:, 0]  # (E,), those inside
    pixel = point // d
    target = cell.flatten()[point]

    def sort(key: Tensor, other: Tensor, bags: int) -> tuple[Tensor, Tensor, Tensor]:
        key, order = key.sort(stable=True)
        return point[order].int(), other[order].int(), bag_ends(key, bags)

    by_cell = sort(target, pixel, n * columns * rows)
    by_pixel = sort(pixel, target, n * m * h * w)
    return BEVIndex((n, m, d, h, w), cells, cell, by_cell, by_pixel)


def bev_pool(depth: Tensor, features: Tensor, index: BEVIndex) -> Tensor:
    """Spread every pixel's features over its depths and sum them in the cells of the grid.

    Sums are taken in float32 at least, in a fixed order: results are reproducible. On a CPU a cell errs by some
    hundred roundings at most, however many points it has; on a GPU, of 10⁶ like points, by a percent.

    Counted as one MAC for every channel of every point inside the grid.

    Args:
        depth: (N, M, D, H, W), the weight of each depth, usually a softmax over D.
        features: (N, M, C, H, W). If the dtypes differ, as under autocast, the wider one is used.
        index: from `bev_index`, on the same device.

    Returns:
        (N, C, X, Y), in channels_last format: it is made as one row of channels for each cell.

    Raises:
        ValueError: depth or features does not fit the index.
        TypeError: depth or features is not floating; the devices differ.
    """
    n, m, _, h, w = index.shape
    if depth.shape != index.shape:
        raise ValueError(f"depth must be (N, M, D, H, W) = {index.shape}, got {tuple(depth.shape)}")
    if features.ndim != 5 or (*features.shape[:2], *features.shape[3:]) != (n, m, h, w):
        raise ValueError(
            f"features must be (N, M, C, H, W) = ({n}, {m}, C, {h}, {w}), got {tuple(features.shape)}"
        )
    if not (depth.is_floating_point() and features.is_floating_point()):
        raise TypeError(f"depth and features must be floating, got {depth.dtype} and {features.dtype}")
    if not depth.device == features.device == index.cell.device:
        raise TypeError(
            f"depth is on {depth.device}, features on {features.device}, the index on {index.cell.device}"
        )
    refuse_transforms(depth, features)
    dtype = torch.promote_types(depth.dtype, features.dtype)
    by_pixel = (t.to(dtype).permute(0, 1, 4, 3, 2).flatten(0, 3) for t in (depth, features))  # (Q, D), (Q, C)
    pooled = pool_op(*by_pixel, _tensors(index))  # (N · X · Y, C)
    return pooled.unflatten(0, (n, *index.cells)).movedim(3, 1)


def _tensors(index: BEVIndex) -> list[Tensor]:
    return [index.cell, *index.by_cell, *index.by_pixel]


# -------------------------------------------------------------------------------------------- the ops
#
# Of rows: depth (Q, D), features (Q, C) and cells (N · X · Y, C). `index` is what _tensors gives.


def _op(name: str, operands: str) -> Any:
    schema = f"({operands}, Tensor[] index) -> Tensor"
    return torch.library.custom_op(f"efficientlab::{name}", mutates_args=(), schema=schema)


@_op("bev_pool", "Tensor depth, Tensor features")
def pool_op(depth: Tensor, features: Tensor, index: list[Tensor]) -> Tensor:
    """cells[v] = Σ depth[p] features[q], over the points p in cell v; q is the pixel of p."""
    _, point, pixel, ends, *_ = index
    return sum_bags(features.detach().contiguous(), pixel, ends, depth.flatten().index_select(0, point))


@_op("bev_pool_features_grad", "Tensor depth, Tensor cells")
def _features_grad(depth: Tensor, cells: Tensor, index: list[Tensor]) -> Tensor:
    """features[q] = Σ depth[p] cells[v], over the points p of q; v is the cell of p."""
    *_, point, cell, ends = index
    return sum_bags(cells.detach().contiguous(), cell, ends, depth.flatten().index_select(0, point))


@_op("bev_pool_depth_grad", "Tensor features, Tensor cells")
def _depth_grad(features: Tensor, cells: Tensor, index: list[Tensor]) -> Tensor:
    """depth[p] = <features[q], cells[v]>, and 0 for a point outside the grid."""
    run = _depth_grad_triton if use_triton(features) else _depth_grad_torch
    return run(features.contiguous(), cells.contiguous(), index[0])


def _depth_grad_torch(features: Tensor, cells: Tensor, cell: Tensor) -> Tensor:
    """Some pixels at a time, so that the rows they gather stay in the cache."""
    out = features.new_zeros(cell.shape)
    if not out.numel() or not cells.numel():
        return out
    step = max(1, _CHUNK // (cell.shape[1] * features.shape[1]))
    targets = cell.clamp(min=0)  # (Q, D)
    for q in range(0, len(cell), step):
        target = targets[q : q + step]
        gathered = cells.index_select(0, target.flatten()).unflatten(0, target.shape)  # (q, D, C)
        torch.bmm(gathered, features[q : q + step, :, None], out=out[q : q + step, :, None])
    return out.masked_fill_(cell < 0, 0)


_CHUNK = 1 << 17  # elements


def _depth_grad_triton(features: Tensor, cells: Tensor, cell: Tensor) -> Tensor:
    out = features.new_empty(cell.shape)
    if out.numel():
        _dot_kernel[(-(-cell.numel() // _POINTS),)](
            features,
            cells,
            cell,
            out,
            cell.numel(),
            cell.shape[1],
            features.shape[1],
            POINTS=_POINTS,
            CHANNELS=_CHANNELS,
        )
    return out


_POINTS, _CHANNELS = 16, 32


@kernel
def _dot_kernel(
    features: tl.tensor,
    cells: tl.tensor,
    cell: tl.tensor,
    out: tl.tensor,
    points: tl.tensor,
    depths: tl.tensor,
    channels: tl.tensor,
    POINTS: tl.constexpr,
    CHANNELS: tl.constexpr,
) -> None:
    """Dot products of POINTS pairs of rows, CHANNELS at a time."""
    p = tl.program_id(0) * POINTS + tl.arange(0, POINTS)
    target = tl.load(cell + p, mask=p < points, other=-1)
    source = p // depths
    row_of_features = source.to(tl.int64)[:, None] * channels
    row_of_cells = target.to(tl.int64)[:, None] * channels
    dtype = tl.float64 if out.dtype.element_ty == tl.float64 else tl.float32
    total = tl.zeros((POINTS, CHANNELS), dtype)
    for start in range(0, channels, CHANNELS):
        c = start + tl.arange(0, CHANNELS)[None, :]
        mask = (target >= 0)[:, None] & (c < channels)
        a = tl.load(features + row_of_features + c, mask=mask, other=0.0).to(dtype)
        b = tl.load(cells + row_of_cells + c, mask=mask, other=0.0).to(dtype)
        total += a * b
    tl.store(out + p, tl.sum(total, 1), mask=p < points)


# --------------------------------------------------------------------------------------- registration


@pool_op.register_fake
def _(depth: Tensor, features: Tensor, index: list[Tensor]) -> Tensor:
    return features.new_empty(index[3].shape[0] - 1, features.shape[1])


@_features_grad.register_fake
def _(depth: Tensor, cells: Tensor, index: list[Tensor]) -> Tensor:
    return cells.new_empty(index[6].shape[0] - 1, cells.shape[1])


@_depth_grad.register_fake
def _(features: Tensor, cells: Tensor, index: list[Tensor]) -> Tensor:
    return features.new_empty(index[0].shape)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    a, b, index = inputs
    ctx.save_for_backward(a, b, *index)


def _pool_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    depth, features, *index = ctx.saved_tensors
    needs_depth, needs_features, *_ = ctx.needs_input_grad
    return (
        _depth_grad(features, grad, index) if needs_depth else None,
        _features_grad(depth, grad, index) if needs_features else None,
        [None] * len(index),
    )


def _features_grad_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    depth, cells, *index = ctx.saved_tensors
    needs_depth, needs_cells, *_ = ctx.needs_input_grad
    return (
        _depth_grad(grad, cells, index) if needs_depth else None,
        pool_op(depth, grad, index) if needs_cells else None,
        [None] * len(index),
    )


def _depth_grad_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    features, cells, *index = ctx.saved_tensors
    needs_features, needs_cells, *_ = ctx.needs_input_grad
    return (
        _features_grad(grad, cells, index) if needs_features else None,
        pool_op(grad, features, index) if needs_cells else None,
        [None] * len(index),
    )


pool_op.register_autograd(_pool_backward, setup_context=_save)
_features_grad.register_autograd(_features_grad_backward, setup_context=_save)
_depth_grad.register_autograd(_depth_grad_backward, setup_context=_save)


def _macs(a: Tensor, b: Tensor, index: list[Tensor], out: Tensor) -> int:
    return index[1].numel() * b.shape[1]  # points inside × C


def _moved(a: Tensor, b: Tensor, index: list[Tensor], out: Tensor) -> int:
    return nbytes(a, b, *index[1:4], out)  # the other order of the index is as large but for its ends


for _each in (pool_op, _features_grad):
    register_cost(_each, macs=_macs, moved=_moved)
register_cost(
    _depth_grad, macs=_macs, moved=lambda features, cells, index, out: nbytes(features, cells, index[0], out)
)
