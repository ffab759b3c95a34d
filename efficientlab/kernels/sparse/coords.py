"""Coordinates of occupied voxels and how to find them: sort once, then search.

A voxel is a row (batch, x, y, z) of integers. Rows are packed into one integer each, row-major in their
bounding box: equal keys are equal rows, sorted keys are sorted rows, and the step from a voxel to a neighbour
is the same number everywhere. Nothing is hashed, so no result depends on the order of threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from efficientlab.kernels.backend import nbytes, register_cost, whole

Size = int | Sequence[int]
"""One number for x, y and z, or three."""

_INT32 = torch.iinfo(torch.int32)
_WIDE = {torch.int64, torch.uint32, torch.uint64}


def occupied_voxels(points: Tensor) -> Tensor:
    """The voxels that hold a point: unique ⌊points⌋.

    Args:
        points: (P, 4), batch, x, y, z in voxels: voxel v holds the points of [v, v + 1).

    Returns:
        (V, 4) int32, sorted.

    Raises:
        ValueError: points is not (P, 4), or holds NaN or what int32 cannot count.
        TypeError: points are not real numbers.
    """
    return unique_rows(voxel_of(points))


def downsample(coords: Tensor, stride: Size) -> Tensor:
    """The coarse voxels that hold a fine one: unique ⌊coords / stride⌋.

    Args:
        coords: (V, 4) integers: batch, x, y, z.
        stride: of x, y and z.

    Returns:
        (V', 4) int32, sorted, counted in coarse voxels.

    Raises:
        ValueError: coords is not (V, 4) or holds what int32 cannot count, or stride is not positive.
        TypeError: coords or stride are not integers.
    """
    coords = check_coords("coords", coords)
    steps = triple("stride", stride)
    dtype = torch.int32 if max(steps) <= _INT32.max else torch.int64
    divisor = torch.tensor([1, *steps], dtype=dtype, device=coords.device)
    return unique_rows(coords.div(divisor, rounding_mode="floor"))


def reached_voxels(coords: Tensor, kernel_size: Size, stride: Size = 1, dilation: Size = 1) -> Tensor:
    """Every o that has an input at o · stride + offset: the outputs of a generalised sparse convolution.

    A submanifold convolution keeps the occupied voxels; this one grows them by its kernel.

    Args:
        coords: (V, 4) integers: batch, x, y, z.
        kernel_size: of x, y and z; see `kernel_offsets`.
        stride: of x, y and z.
        dilation: of x, y and z.

    Returns:
        (V', 4) int32, sorted.

    Raises:
        ValueError: coords is not (V, 4), coords or the result hold what int32 cannot count, or another argument is
            not positive.
        TypeError: coords or another argument are not integers.
    """
    coords = check_coords("coords", coords)
    steps, offsets = triple("stride", stride), list(kernel_offsets(kernel_size, dilation))
    furthest = largest(coords) + max(abs(step) for offset in offsets for step in offset)
    # the slower type only where it must be
    dtype = torch.int32 if max(furthest, *steps) <= _INT32.max else torch.int64
    divisor = torch.tensor([1, *steps], dtype=dtype, device=coords.device)
    reach = torch.tensor([[0, *offset] for offset in offsets], dtype=dtype, device=coords.device)  # (K, 4)
    reached = (coords[:, None] - reach).flatten(0, 1)  # (V · K, 4)
    return unique_rows(reached[(reached % divisor == 0).all(1)].div(divisor, rounding_mode="floor"))


def find_voxels(coords: Tensor, wanted: Tensor) -> Tensor:
    """For each wanted voxel its row in coords, −1 where it is not occupied.

    Args:
        coords: (V, 4) integers: batch, x, y, z, distinct, in any order.
        wanted: (Q, 4) integers, up to those of int64.

    Returns:
        (Q,) int32.

    Raises:
        ValueError: a shape is wrong, coords has duplicates, holds what int32 cannot count or spans more than an
            int64 can.
        TypeError: coords or wanted are not integers, or not on one device.
    """
    coords = check_coords("coords", coords)
    _check_integers("wanted", wanted)
    if wanted.dtype is torch.uint64:
        wanted = _narrow(wanted, "wanted")
    elif wanted.dtype not in {torch.int32, torch.int64}:  # keys of fewer bits would wrap
        wanted = wanted.to(torch.int64 if wanted.dtype is torch.uint32 else torch.int32)
    if coords.device != wanted.device:
        raise TypeError(f"coords are on {coords.device}, the wanted ones on {wanted.device}")
    return _find(coords, wanted)


def find_corners(coords: Tensor, lower: Tensor) -> Tensor:
    """For each voxel and its neighbours one step up in x, y and z the row in coords, −1 where it is not occupied.

    As `find_voxels` of all eight, at half of the searches: of two neighbours along z the second follows the first.

    Args:
        coords: (V, 4) integers: batch, x, y, z, distinct, in any order.
        lower: (Q, 4) integers.

    Returns:
        (Q, 8) int32, z fastest.

    Raises:
        ValueError: a shape is wrong, coords has duplicates or spans more than an int64 can count.
        TypeError: coords or lower are not integers, or not on one device.
    """
    coords, lower = check_coords("coords", coords), check_coords("lower", lower)
    if coords.device != lower.device:
        raise TypeError(f"coords are on {coords.device}, the lower corners on {lower.device}")
    return _corners(coords, lower)


def kernel_offsets(kernel_size: Size, dilation: Size = 1) -> list[tuple[int, int, int]]:
    """The K offsets of a kernel, z fastest: −⌊s/2⌋ … ⌊s/2⌋ along an axis of odd size s, 0 … s − 1 if even."""
    xs, ys, zs = (
        [d * (i - s // 2 * (s % 2)) for i in range(s)]
        for s, d in zip(triple("kernel_size", kernel_size), triple("dilation", dilation), strict=True)
    )
    return [(x, y, z) for x in xs for y in ys for z in zs]


# ------------------------------------------------------------------------------------------- arguments


def triple(name: str, size: Size) -> tuple[int, int, int]:
    # a tensor of one number is iterable, too
    one = not isinstance(size, Iterable) or getattr(size, "ndim", None) == 0
    sizes = (size,) * 3 if one else tuple(cast("Sequence[int]", size))
    if len(sizes) != 3:
        raise ValueError(f"{name} must be one number, or three for x, y and z; got {size!r}")
    x, y, z = (whole(name, each) for each in sizes)
    if min(x, y, z) < 1:
        raise ValueError(f"{name} must be positive, got {size}")
    return x, y, z


def check_coords(name: str, coords: Tensor) -> Tensor:
    """coords as (V, 4) int32."""
    _check_integers(name, coords)
    return _narrow(coords, name) if coords.dtype in _WIDE else coords.int()


def _check_integers(name: str, coords: Tensor) -> None:
    if coords.ndim != 2 or coords.shape[1] != 4:
        raise ValueError(f"{name} must be (V, 4): batch, x, y, z; got {tuple(coords.shape)}")
    if coords.is_floating_point() or coords.is_complex() or coords.dtype is torch.bool:
        raise TypeError(f"{name} must be integers, got {coords.dtype}; see occupied_voxels for points")


def largest(numbers: Tensor) -> int:
    """The largest absolute value, as a number that cannot overflow; 0 of none."""
    if not numbers.numel():
        return 0
    low, high = torch.stack(numbers.aminmax()).tolist()
    return max(-low, high)


def check_points(points: Tensor) -> Tensor:
    """points, without gradient."""
    if points.ndim != 2 or points.shape[1] != 4:
        raise ValueError(f"points must be (P, 4): batch, x, y, z; got {tuple(points.shape)}")
    return points.detach()


def voxel_of(points: Tensor) -> Tensor:
    """(P, 4) int32: the voxel of each point."""
    points = check_points(points)
    if points.is_complex() or points.dtype is torch.bool:
        raise TypeError(f"points must be real numbers, got {points.dtype}")
    return _floor(points) if points.is_floating_point() else check_coords("points", points)


# -------------------------------------------------------------------------------------- packed and sorted


class Box(NamedTuple):
    """A box of voxels, and what a step along each of its four axes adds to a key."""

    low: tuple[int, ...]
    size: tuple[int, ...]

    @classmethod
    def around(cls, *groups: Tensor, margin: Sequence[int] = (0, 0, 0)) -> Box:
        """The box of all rows. Steps of up to `margin` out of it reach keys that no row has.

        The free cells at the upper end of an axis serve its lower end too: the line before ends with them.
        """
        if groups[0].is_meta:
            raise TypeError("voxels cannot be found on the meta device, whose tensors hold no coordinates")
        rows = torch.cat([group for group in groups if len(group)] or [groups[0].new_zeros(1, 4)])
        low, high = torch.stack(rows.aminmax(dim=0)).tolist()
        sizes = (h - w + 1 + m for w, h, m in zip(low, high, (0, *margin), strict=True))
        box = cls(tuple(low), tuple(sizes))
        if prod(box.size) >= 2**62:
            raise ValueError(f"coords span a box of {box.size} voxels, more than an int64 can count")
        return box

    @property
    def strides(self) -> tuple[int, ...]:
        return tuple(prod(self.size[axis + 1 :]) for axis in range(4))

    def pack(self, coords: Tensor) -> Tensor:
        """(V,) keys, int32 where the box allows: that sorts several times faster."""
        if prod(self.size) + self.strides[0] >= 2**31:
            coords = coords.long()
        columns = zip(coords.unbind(1), self.low, self.strides, strict=True)
        b, x, y, z = ((column - low) * stride for column, low, stride in columns)
        return b + x + y + z

    def unpack(self, keys: Tensor) -> Tensor:
        """(V, 4) int32."""
        axes = zip(self.low, self.size, self.strides, strict=True)
        return torch.stack([keys // stride % size + low for low, size, stride in axes], 1).int()


def unique_rows(coords: Tensor) -> Tensor:
    """(V', 4) int32, sorted."""
    box = Box.around(coords)
    if any(not _INT32.min <= low <= low + size - 1 <= _INT32.max for low, size in zip(*box, strict=True)):
        raise ValueError(
            "coords reach further than int32 can count: take smaller ones, such as coords minus the least"
        )
    return box.unpack(box.pack(coords).unique())


def sort_keys(keys: Tensor, coords: Tensor) -> tuple[Tensor, Tensor | None]:
    """Ascending keys and the row that each comes from, None where they come in this order.

    Raises:
        ValueError: two rows are equal.
    """
    if (keys[1:] > keys[:-1]).all():
        return keys, None
    keys, row = keys.sort(stable=True)
    twins = (keys[1:] == keys[:-1]).nonzero()[:, 0]
    if len(twins):
        i, j = row[twins[0] + torch.arange(2, device=row.device)].tolist()
        raise ValueError(
            f"coords must be distinct, but rows {i} and {j} are both {tuple(coords[i].tolist())}; "
            "see occupied_voxels"
        )
    return keys, row


def search(keys: Tensor, wanted: Tensor) -> Tensor:
    """(Q,) int64: for each wanted key the place of the first that is not less. Quick if wanted ascends, too."""
    if keys.is_cuda:
        return torch.searchsorted(keys, wanted)
    return torch.from_numpy(np.searchsorted(keys.numpy(), wanted.numpy()))  # starts where the last one ended


def with_end(keys: Tensor) -> Tensor:
    """keys with one more at the end that is never wanted, so that every place can be read."""
    return torch.cat([keys, keys.new_full((1,), torch.iinfo(keys.dtype).max)])


# --------------------------------------------------------------------------------------------- the ops


@torch.library.custom_op("efficientlab::find_voxels", mutates_args=())
def _find(coords: Tensor, wanted: Tensor) -> Tensor:
    box = Box.around(coords)
    keys, row = sort_keys(box.pack(coords), coords)
    target = box.pack(wanted)
    place = search(keys, target)
    low = torch.tensor(box.low, device=coords.device)
    high = low + torch.tensor(box.size, device=coords.device) - 1
    inside = ((wanted >= low) & (wanted <= high)).all(1)  # elsewhere a key may have overflowed
    hit = (with_end(keys)[place] == target) & inside
    if row is not None:
        place = torch.cat([row, row.new_zeros(1)])[place]
    return torch.where(hit, place, -1).int()


@torch.library.custom_op("efficientlab::narrow_coords", mutates_args=())
def _narrow(coords: Tensor, name: str) -> Tensor:
    if coords.numel():
        wide = coords.long()  # of uint64, what is too large becomes negative
        low, high = torch.stack(wide.aminmax()).tolist()
        if not (_INT32.min <= low and high <= _INT32.max) or (coords.dtype is torch.uint64 and low < 0):
            beyond = "more than int64 can" if coords.dtype is torch.uint64 and low < 0 else f"{low} to {high}"
            raise ValueError(f"{name} must be numbers that int32 can count, got {beyond}")
    return coords.int()


@torch.library.custom_op("efficientlab::find_corners", mutates_args=())
def _corners(coords: Tensor, lower: Tensor) -> Tensor:
    box = Box.around(coords, margin=(1, 1, 1))
    keys, row = sort_keys(box.pack(coords), coords)
    padded = with_end(keys)
    target, order = box.pack(lower).sort()  # searches that ascend are several times faster
    if row is not None:
        row = torch.cat([row, row.new_zeros(1)])
    low = torch.tensor(box.low, device=coords.device)  # int64: a step beyond may be more than int32 counts
    least, most = (
        low - low.new_tensor([0, 1, 1, 1]),
        low + low.new_tensor(box.size) - low.new_tensor([1, 2, 2, 2]),
    )
    inside = ((lower >= least) & (lower <= most)).all(1)[order]
    _, x_stride, y_stride, _ = box.strides
    found = []
    for line in (0, y_stride, x_stride, x_stride + y_stride):
        wanted = target + line
        place = search(keys, wanted)
        for _ in range(2):
            hit = padded.index_select(0, place) == wanted
            rows = place if row is None else row.index_select(0, place)
            found.append(torch.where(hit & inside, rows, -1).int())
            place, wanted = place + hit, wanted + 1  # the next key along z stands next, if it is there
    corners = torch.stack(found, 1)
    return torch.empty_like(corners).index_copy_(0, order, corners)


@torch.library.custom_op("efficientlab::voxel_of", mutates_args=())
def _floor(points: Tensor) -> Tensor:
    if points.numel():
        low, high = torch.stack(points.aminmax()).tolist()
        if not (low >= -(2**31) and high < 2**31):
            raise ValueError(f"points must be numbers that int32 can count, got {low:g} to {high:g}")
    return points.floor().int()


@_find.register_fake
def _(coords: Tensor, wanted: Tensor) -> Tensor:
    return wanted.new_empty(len(wanted), dtype=torch.int32)


@_narrow.register_fake
def _(coords: Tensor, name: str) -> Tensor:
    return torch.empty_like(coords, dtype=torch.int32, memory_format=torch.contiguous_format)


@_corners.register_fake
def _(coords: Tensor, lower: Tensor) -> Tensor:
    return lower.new_empty(len(lower), 8)


@_floor.register_fake
def _(points: Tensor) -> Tensor:
    return torch.empty_like(points, dtype=torch.int32, memory_format=torch.contiguous_format)


register_cost(_find, moved=lambda coords, wanted, out: nbytes(coords, wanted, out))
register_cost(_narrow, moved=lambda coords, name, out: nbytes(coords, out))
register_cost(_corners, moved=lambda coords, lower, out: nbytes(coords, lower, out))
register_cost(_floor, moved=lambda points, out: nbytes(points, out))
