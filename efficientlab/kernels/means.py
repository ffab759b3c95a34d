"""Means of rows: what a voxel gets from its points.

    x[v] = 1 / n_v · Σ_(p: i[p] = v) y[p],   n_v the number of such p           y (P, C), i (P,)  →  x (V, C)

A sum of n float32 numbers, one after the other, errs by up to n roundings, and n products with 1/n by as many
again: the mean of 100,000 ones came out as 1.001. So rows are summed 16 at a time, then 16 of these sums, and so
on, and divided once: log n roundings, and a mean of ones is 1. Triton's kernel keeps what each addition
loses (Kahan, CACM 1965). Nothing is added atomically, and results are reproducible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from efficientlab.kernels.backend import kernel, nbytes, refuse_transforms, register_cost, use_triton
from efficientlab.kernels.gather import bag_ends, ends_of, sum_in_tree, weighted_gather

if TYPE_CHECKING:
    import triton.language as tl


def mean_of_rows(y: Tensor, index: Tensor, n_rows: int) -> Tensor:
    """x[v] = mean of y[p] over all p with index[p] = v. Differentiable in y.

    Args:
        y: (P, C), real.
        index: (P,) int32, in [0, n_rows), or negative for a row that belongs nowhere. Not checked.
        n_rows: V.

    Returns:
        (V, C) in the dtype of y, summed in float32 at least; rows that nothing points to are zero.
    """
    refuse_transforms(y)
    return _mean(y, index, n_rows)


# -------------------------------------------------------------------------------------------- the op


@torch.library.custom_op("efficientlab::mean_of_rows", mutates_args=())
def _mean(y: Tensor, index: Tensor, n_rows: int) -> Tensor:
    target, order = index.sort(stable=True)
    return (_mean_triton if use_triton(y) else _mean_torch)(y, target, order.int(), n_rows)


_SUMMED = 16  # rows that are added one after the other


def _mean_torch(y: Tensor, target: Tensor, order: Tensor, n_rows: int) -> Tensor:
    out = y.new_zeros(n_rows, y.shape[1])
    rows, counts = torch.unique_consecutive(target, return_counts=True)
    if not out.numel() or not len(rows):
        return out
    dtype = torch.promote_types(y.dtype, torch.float32)
    y = y.detach().to(dtype)
    ends = ends_of(counts)
    total = sum_in_tree(y, order, ends, None, _SUMMED).div_(counts[:, None])  # (rows, C)
    if not total.sum().isfinite():  # a sum of large numbers may overflow, their mean does not
        power = 2.0 ** -(int(counts.max()) - 1).bit_length()
        small = sum_in_tree(y * power, order, ends, None, _SUMMED).div_(counts[:, None]).div_(power)
        total = torch.where(total.isfinite(), total, small)
    if rows[0] < 0:
        rows, total = rows[1:], total[1:]
    return out.index_copy_(0, rows.long(), total.to(out.dtype))


_TILE = 1024


def _mean_triton(y: Tensor, target: Tensor, order: Tensor, n_rows: int) -> Tensor:
    out = y.new_empty(n_rows, y.shape[1])
    if not out.numel():
        return out
    nowhere = int((target < 0).sum())
    ends = bag_ends(target[nowhere:], n_rows)
    columns = 1 << min(y.shape[1] - 1, 127).bit_length()
    block = _TILE // columns
    grid = (-(-n_rows // block), -(-y.shape[1] // columns))
    source = order[nowhere:].contiguous()
    _mean_kernel[grid](y.contiguous(), source, ends, out, n_rows, y.shape[1], ROWS=block, COLUMNS=columns)
    return out


@kernel
def _mean_kernel(
    y: tl.tensor,
    source: tl.tensor,
    ends: tl.tensor,
    out: tl.tensor,
    rows: tl.tensor,
    channels: tl.tensor,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
) -> None:
    """ROWS means × COLUMNS channels; every thread adds its rows and keeps in `lost` what rounding took."""
    r = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    c = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    start = tl.load(ends + r, mask=r < rows, other=0)
    count = tl.load(ends + r + 1, mask=r < rows, other=0) - start
    dtype = tl.float64 if y.dtype.element_ty == tl.float64 else tl.float32
    total = tl.zeros((ROWS, COLUMNS), dtype)
    lost = tl.zeros((ROWS, COLUMNS), dtype)
    for j in range(0, tl.max(count, 0)):
        some = j < count
        row = tl.load(source + start + j, mask=some, other=0).to(tl.int64)
        inside = some[:, None] & (c < channels)[None, :]
        term = tl.load(y + row[:, None] * channels + c[None, :], mask=inside, other=0.0).to(dtype) - lost
        added = total + term
        lost = (added - total) - term
        total = added
    mean = total / tl.maximum(count, 1).to(dtype)[:, None]
    place = r.to(tl.int64)[:, None] * channels + c[None, :]
    tl.store(out + place, mean, mask=(r < rows)[:, None] & (c < channels)[None, :])


@_mean.register_fake
def _(y: Tensor, index: Tensor, n_rows: int) -> Tensor:
    return y.new_empty(n_rows, y.shape[1])


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(inputs[1])
    ctx.n_rows = inputs[2]


def _backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    """Every row gets its share 1 / n_v of the gradient of its mean."""
    (index,) = ctx.saved_tensors
    dtype = torch.promote_types(grad.dtype, torch.float32)
    row = index.clamp(min=0)
    somewhere = (index >= 0).to(dtype)
    count = somewhere.new_zeros(ctx.n_rows).index_add(0, row, somewhere)  # sums of ones: exact in any order
    weight = somewhere / count.index_select(0, row).clamp(min=1)
    return weighted_gather(grad.contiguous(), row[:, None], weight[:, None]), None, None


_mean.register_autograd(_backward, setup_context=_setup)


def _macs(y: Tensor, index: Tensor, n_rows: int, out: Tensor) -> int:
    return y.numel()  # a weight of 1/n for every element, as a matrix of means would have it


register_cost(_mean, macs=_macs, moved=lambda y, index, n_rows, out: nbytes(y, index, out))
