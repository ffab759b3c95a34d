"""Weighted sums of rows, and their adjoint: what moves features between points and voxels.

    gather:   y[p] = Σ_k w[p, k] · x[i[p, k]]               x (V, C), i and w (P, K)  →  y (P, C)
    scatter:  x[v] = Σ_(p,k): i[p, k] = v  w[p, k] · y[p]   y (P, C)                  →  x (V, C)

Each is the other's gradient. Both become a sum of bags of rows: the gather's bags have K rows each, the
scatter's are found by one stable sort of i. So nothing is added atomically, and results are reproducible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from efficientlab.kernels.backend import (
    flat_nonzero,
    kernel,
    nbytes,
    refuse_transforms,
    register_cost,
    use_triton,
)

if TYPE_CHECKING:
    import triton.language as tl


def weighted_gather(x: Tensor, index: Tensor, weight: Tensor | None) -> Tensor:
    """y[p] = Σ_k weight[p, k] · x[index[p, k]]. Differentiable in x.

    Args:
        x: (V, C), real.
        index: (P, K) int32, in [0, V): not checked, since its makers in this package check coordinates. Negative
            for no row: a NaN in x reaches nobody who has nothing to do with it, as it would with a weight of 0.
        weight: (P, K), float32, or float64 with such an x; None for ones, which cost no multiplication.

    Returns:
        (P, C) in the dtype of x; sums are taken in float32 at least.
    """
    refuse_transforms(x)
    return _gather(x, index, weight)


def weighted_scatter(y: Tensor, index: Tensor, weight: Tensor | None, n_rows: int) -> Tensor:
    """x[v] = Σ weight[p, k] · y[p] over all (p, k) with index[p, k] = v. Differentiable in y.

    Args:
        y: (P, C), real.
        index: (P, K) int32, in [0, n_rows), or negative for none.
        weight: (P, K), or None for ones.
        n_rows: V.

    Returns:
        (V, C) in the dtype of y; rows that nothing points to are zero.
    """
    refuse_transforms(y)
    return _scatter(y, index, weight, n_rows)


def sum_bags(x: Tensor, index: Tensor, ends: Tensor | int, weight: Tensor | None = None) -> Tensor:
    """y[r] = Σ_j weight[j] · x[index[j]] over the bag of r: the sum behind every op here. No gradient.

    On a CPU the float32 sum of a long bag is taken in pieces of 256 rows, so it errs by hundreds of roundings at
    most. Triton's kernel adds row after row: where all are alike, 10⁶ of them may err by a percent.

    Args:
        x: (V, C).
        index: (E,) int32; in bags of one size negative for no row.
        ends: (R + 1,) int32, bag r being [ends[r], ends[r + 1]); or an int, the size of every bag.
        weight: (E,) or None for 1.

    Returns:
        (R, C) in the dtype of x.
    """
    return (_sum_bags_triton if use_triton(x) else _sum_bags_torch)(x, index, ends, weight)


# ----------------------------------------------------------------------------------------- the two ops


@torch.library.custom_op("efficientlab::weighted_gather", mutates_args=())
def _gather(x: Tensor, index: Tensor, weight: Tensor | None) -> Tensor:
    return sum_bags(x, index.flatten(), index.shape[1], None if weight is None else weight.flatten())


@torch.library.custom_op("efficientlab::weighted_scatter", mutates_args=())
def _scatter(y: Tensor, index: Tensor, weight: Tensor | None, n_rows: int) -> Tensor:
    target, order = index.flatten().sort(stable=True)
    if nowhere := int((target < 0).sum()):
        target, order = target[nowhere:], order[nowhere:]
    if weight is not None:
        weight = weight.flatten().index_select(0, order)
    return sum_bags(y, (order // index.shape[1]).int(), bag_ends(target, n_rows), weight)


def bag_ends(row: Tensor, n_rows: int) -> Tensor:
    """(R + 1,) int32: where the bag of each row begins and ends among ascending rows (E,)."""
    return ends_of(torch.bincount(row, minlength=n_rows))


def ends_of(counts: Tensor) -> Tensor:
    """(R + 1,) int32: where bags of so many rows (R,) begin and end."""
    ends = torch.zeros(len(counts) + 1, dtype=torch.int32, device=counts.device)
    torch.cumsum(counts, 0, out=ends[1:])
    return ends


@_gather.register_fake
def _(x: Tensor, index: Tensor, weight: Tensor | None) -> Tensor:
    return x.new_empty(index.shape[0], x.shape[1])


@_scatter.register_fake
def _(y: Tensor, index: Tensor, weight: Tensor | None, n_rows: int) -> Tensor:
    return y.new_empty(n_rows, y.shape[1])


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[1:3])
    ctx.n_rows = inputs[0].shape[0]


def _gather_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    return _scatter(grad.contiguous(), *ctx.saved_tensors, ctx.n_rows), None, None


def _scatter_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    return _gather(grad.contiguous(), *ctx.saved_tensors), None, None, None


_gather.register_autograd(_gather_backward, setup_context=_setup)
_scatter.register_autograd(_scatter_backward, setup_context=_setup)


def _macs(x: Tensor, index: Tensor, weight: Tensor | None, *args: Any, out: Tensor) -> int:
    return 0 if weight is None else index.numel() * x.shape[1]


def _moved_by_gather(x: Tensor, index: Tensor, weight: Tensor | None, out: Tensor) -> int:
    rows = min(index.numel(), x.shape[0])  # those of x that can be read, each once
    return rows * x.shape[1] * x.element_size() + nbytes(index, weight, out)


register_cost(_gather, macs=_macs, moved=_moved_by_gather)
register_cost(_scatter, macs=_macs, moved=lambda y, index, weight, n, out: nbytes(y, index, weight, out))


# ------------------------------------------------------------------------------------------ sum of bags


def _sum_bags_torch(x: Tensor, index: Tensor, ends: Tensor | int, weight: Tensor | None) -> Tensor:
    if isinstance(ends, int):
        size, ends = ends, torch.arange(0, index.numel() + 1, ends, dtype=torch.int32, device=x.device)
        if index.numel() and index.min() < 0:
            index, ends, weight = _present(index, size, weight)
    if not x.numel():
        return x.new_zeros(len(ends) - 1, x.shape[1])
    dtype = torch.promote_types(x.dtype, torch.float32)
    weight = None if weight is None else weight.to(dtype)
    return sum_in_tree(x.detach().to(dtype), index, ends, weight, _SUMMED).to(x.dtype)


_SUMMED = 256  # rows that are added one after the other: of 10⁶ the sum would be wrong by a percent


def sum_in_tree(x: Tensor, index: Tensor, ends: Tensor, weight: Tensor | None, width: int) -> Tensor:
    """`sum_bags` of float32 or float64, where `width` rows are summed, then as many of these sums, and so on."""
    counts = ends.diff()
    if len(counts) and int(counts.max()) > width:
        pieces = ((counts + (width - 1)) // width).clamp(min=1)  # of each bag
        stop = pieces.cumsum(0)
        sizes = counts.new_full((int(stop[-1]),), width)
        sizes[stop - 1] = counts - (pieces - 1) * width
        x = sum_in_tree(x, index, ends_of(sizes), weight, width)
        index, ends, weight = torch.arange(len(x), dtype=torch.int32, device=x.device), ends_of(pieces), None
        return sum_in_tree(x, index, ends, weight, width)
    return F.embedding_bag(index, x, ends, mode="sum", per_sample_weights=weight, include_last_offset=True)


def _present(index: Tensor, size: int, weight: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """The rows of bags of one size that are there, where each bag of these ends, and their weights."""
    there = index >= 0
    place = flat_nonzero(there)
    ends = ends_of(there.view(-1, size).sum(1, dtype=torch.int32))
    return index.index_select(0, place), ends, None if weight is None else weight.index_select(0, place)


_TILE = 1024


def _sum_bags_triton(x: Tensor, index: Tensor, ends: Tensor | int, weight: Tensor | None) -> Tensor:
    size = ends if isinstance(ends, int) else 0
    rows = index.numel() // ends if isinstance(ends, int) else len(ends) - 1
    y = x.new_empty(rows, x.shape[1])
    if not y.numel():
        return y
    columns = 1 << min(x.shape[1] - 1, 127).bit_length()
    block = _TILE // columns
    grid = (-(-rows // block), -(-x.shape[1] // columns))
    _bag_kernel[grid](
        x.contiguous(),
        index.contiguous(),
        index if isinstance(ends, int) else ends.contiguous(),
        index if weight is None else weight.contiguous(),
        y,
        rows,
        x.shape[1],
        SIZE=size,
        WEIGHTED=weight is not None,
        ROWS=block,
        COLUMNS=columns,
    )
    return y


@kernel
def _bag_kernel(
    x: tl.tensor,
    index: tl.tensor,
    ends: tl.tensor,
    weight: tl.tensor,
    y: tl.tensor,
    rows: tl.tensor,
    channels: tl.tensor,
    SIZE: tl.constexpr,
    WEIGHTED: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
) -> None:
    """ROWS bags × COLUMNS channels; every thread walks its bags from the first to the last row."""
    r = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    c = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    if SIZE:
        start, count = r * SIZE, tl.where(r < rows, SIZE, 0)
        longest = SIZE
    else:
        start = tl.load(ends + r, mask=r < rows, other=0)
        count = tl.load(ends + r + 1, mask=r < rows, other=0) - start
        longest = tl.max(count, 0)
    dtype = tl.float64 if x.dtype.element_ty == tl.float64 else tl.float32
    total = tl.zeros((ROWS, COLUMNS), dtype)
    for j in range(0, longest):
        some = j < count
        source = tl.load(index + start + j, mask=some, other=-1).to(tl.int64)
        inside = (source >= 0)[:, None] & (c < channels)[None, :]
        row = tl.load(x + source[:, None] * channels + c[None, :], mask=inside, other=0.0).to(dtype)
        if WEIGHTED:
            row *= tl.load(weight + start + j, mask=some, other=0.0).to(dtype)[:, None]
        total += row
    place = r.to(tl.int64)[:, None] * channels + c[None, :]
    tl.store(y + place, total, mask=(r < rows)[:, None] & (c < channels)[None, :])
