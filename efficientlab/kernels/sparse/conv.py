"""Sparse convolution: a convolution that visits only the voxels that exist.

    y[o] = Σ_k  x[i] W[k]    over the pairs (i, o) that a kernel map has under offset k

With L = Σ_pairs <g[o], x[i] W[k]>, training needs ∂L/∂g (the forward pass), ∂L/∂x (the forward pass of the
transposed map with transposed weights) and ∂L/∂W. Sums are taken in a fixed order: results are reproducible.

The dataflow follows the machine, see `plan`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from efficientlab.kernels.backend import (
    autocast,
    kernel,
    nbytes,
    refuse_transforms,
    register_cost,
    use_triton,
)
from efficientlab.kernels.gather import sum_bags
from efficientlab.kernels.sparse.map import KernelMap

if TYPE_CHECKING:
    import triton.language as tl


def sparse_conv(x: Tensor, weight: Tensor, pairs: KernelMap) -> Tensor:
    """Convolve features of occupied voxels; Σ pairs · C · D MACs, as many as there really are.

    Equals the dense convolution with weight.unflatten(0, kernel_size).permute(4, 3, 0, 1, 2) at the output
    voxels, if voxels that are not occupied are zero.

    Args:
        x: (V, C), features of the map's input voxels.
        weight: (K, C, D), in the order of `kernel_offsets`.
        pairs: from `kernel_map`; its `.T` gives the transposed convolution.

    Returns:
        (V', D), differentiable in x and weight. Under autocast, in its dtype.

    Raises:
        ValueError: x or weight does not fit the map.
        TypeError: x and weight are not dense or of one floating dtype, or not on the map's device, or that is meta.
    """
    if x.ndim != 2 or len(x) != pairs.n_sources:
        raise ValueError(f"x must be (V, C) with V={pairs.n_sources} as the map has, got {tuple(x.shape)}")
    if weight.ndim != 3 or weight.shape[:2] != (len(pairs.counts), x.shape[1]):
        raise ValueError(
            f"weight must be (K, C, D) with K={len(pairs.counts)} as the map and C={x.shape[1]} as x has, "
            f"got {tuple(weight.shape)}"
        )
    if not x.device == weight.device == pairs.source.device:
        raise TypeError(f"x is on {x.device}, weight on {weight.device}, the map on {pairs.source.device}")
    if x.is_meta:
        raise TypeError("sparse_conv needs a map's pairs, and meta tensors hold none: pass real tensors")
    if x.layout is not torch.strided or weight.layout is not torch.strided:
        raise TypeError(
            f"x and weight must be dense, the map says where x lies; got {x.layout}, {weight.layout}"
        )
    x, weight = autocast(x, weight)
    if not x.is_floating_point() or x.dtype != weight.dtype:
        raise TypeError(f"x and weight must be of one floating dtype, got {x.dtype} and {weight.dtype}")
    refuse_transforms(x, weight)
    how = _masked_on(x), max(weight.shape[1:])
    plan, back = pairs.plan(*how), []
    if not pairs.symmetric and torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
        back = pairs.T.plan(*how)
    return _conv(x, weight, pairs.n_targets, plan, back, pairs.symmetric, how[0])


def _masked_on(x: Tensor) -> bool:
    """Whether Triton reaches tensor cores: not on T4 (sm_75), and not in float64."""
    if x.dtype is torch.float64 or not use_triton(x):
        return False
    return not x.is_cuda or torch.cuda.get_device_capability(x.device) >= (8, 0)


# --------------------------------------------------------------------------------------------- the ops


_PLANS = "Tensor[] plan, Tensor[] back, bool symmetric, bool masked"
"""plan is that of the map, back that of its transpose where the map is not symmetric."""


@torch.library.custom_op(
    "efficientlab::sparse_conv",
    mutates_args=(),
    schema=f"(Tensor x, Tensor weight, int rows, {_PLANS}) -> Tensor",
)
def _conv(
    x: Tensor, weight: Tensor, rows: int, plan: list[Tensor], back: Any, symmetric: bool, masked: bool
) -> Tensor:
    """y, for `rows` output voxels."""
    if masked:
        return _conv_masked(x, weight, rows, plan)
    source, _, splits, bag, ends = plan
    y = x.new_empty(rows, weight.shape[2])
    factors = weight.unbind()
    own = factors[len(factors) // 2] if symmetric else None
    gathered, products = _memory.rows("gathered", splits, x), _memory.rows("products", splits, y)
    for block, pairs, sizes in _blocks(splits):
        a = _take(x, source[pairs], gathered)
        _multiply(a, factors, sizes, products)
        out = _rows(y, block, ends)
        _add_up(products, bag[pairs], ends[block], x[out], own, y[out])
    return y


@torch.library.custom_op(
    "efficientlab::sparse_conv_grads",
    mutates_args=(),
    schema=f"(Tensor grad, Tensor x, Tensor weight, bool[] wanted, {_PLANS}) -> (Tensor, Tensor)",
)
def _grads(
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    wanted: list[bool],
    plan: list[Tensor],
    back: list[Tensor],
    symmetric: bool,
    masked: bool,
) -> tuple[Tensor, Tensor]:
    """∂L/∂x and ∂L/∂W, empty where not wanted: one pass over the transposed map serves both.

    A symmetric map is its own transpose with the offsets in reverse.
    """
    to_x, to_weight = wanted
    dx = x.new_empty(x.shape if to_x else 0)
    dw = torch.zeros_like(weight) if to_weight else weight.new_empty(0)
    factors, totals = weight.transpose(1, 2).unbind(), dw.unbind()
    own = None
    if symmetric:
        back, factors, totals = plan, factors[::-1], totals[::-1]
        own = factors[len(factors) // 2]
    if masked and to_x:
        dx, to_x = _conv_masked(grad, torch.stack(factors), len(x), back), False
    source, target, splits, *sums = back
    gathered, products = _memory.rows("gathered", splits, grad), _memory.rows("products", splits, x)
    for block, pairs, sizes in _blocks(splits):
        g = _take(grad, source[pairs], gathered)
        if to_x:
            bag, ends = sums
            _multiply(g, factors, sizes, products)
            rows = _rows(dx, block, ends)
            _add_up(products, bag[pairs], ends[block], grad[rows], own, dx[rows])
        if to_weight:
            columns = _take(x, target[pairs], products).t().split(sizes, 1)
            for total, a, b in zip(totals, columns, g.split(sizes), strict=True):
                total.addmm_(a, b)
    if symmetric and to_weight:
        torch.mm(x.t(), grad, out=totals[len(totals) // 2])
    return dx, dw


# ----------------------------------------------------------------------------------- block after block


def _blocks(splits: Tensor) -> Iterator[tuple[int, slice, list[int]]]:
    """(block, its pairs, how many of each offset)."""
    start = 0
    for block, sizes in enumerate(splits.tolist()):
        stop = start + sum(sizes)
        yield block, slice(start, stop), sizes
        start = stop


def _rows(y: Tensor, block: int, ends: Tensor) -> slice:
    size = ends.shape[1] - 1
    return slice(block * size, min((block + 1) * size, len(y)))


class _Memory(threading.local):
    """Scratch that outlives a call on the CPU: a fresh page costs more than what is computed on it."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, torch.dtype], Tensor] = {}

    def rows(self, name: str, splits: Tensor, like: Tensor) -> Tensor:
        """Uninitialised, as many rows as the largest block has pairs, as wide as like."""
        shape = int(splits.sum(1).max()), like.shape[1]
        if like.device.type != "cpu":
            return like.new_empty(shape)
        scratch = self.kept.get((name, like.dtype))
        if scratch is None or scratch.numel() < prod(shape):
            with torch.inference_mode(False):
                scratch = self.kept[name, like.dtype] = torch.empty(prod(shape), dtype=like.dtype)
        return scratch[: prod(shape)].view(shape)


_memory = _Memory()


def _take(x: Tensor, rows: Tensor, scratch: Tensor) -> Tensor:
    return torch.index_select(x, 0, rows, out=scratch[: len(rows)])


def _multiply(a: Tensor, factors: Sequence[Tensor], sizes: list[int], products: Tensor) -> None:
    """products = a @ factor, offset by offset."""
    for left, factor, product in zip(a.split(sizes), factors, products[: len(a)].split(sizes), strict=True):
        torch.mm(left, factor, out=product)


def _add_up(products: Tensor, bag: Tensor, ends: Tensor, x: Tensor, own: Tensor | None, y: Tensor) -> None:
    """y = sums of a block's products, and what a voxel gives to itself: x @ own."""
    total = sum_bags(products, bag, ends[: len(y) + 1])
    if own is None:
        y.copy_(total)
    else:
        torch.addmm(total, x, own, out=y)


# ----------------------------------------------------------------------------------- the Triton product


def _conv_masked(x: Tensor, weight: Tensor, rows: int, plan: list[Tensor]) -> Tensor:
    *_, order, table = plan
    y = x.new_empty(rows, weight.shape[2])
    grid = (-(-rows // _TILE["BLOCK_R"]), -(-weight.shape[2] // _TILE["BLOCK_D"]))
    if y.numel():
        _conv_kernel[grid](
            x.contiguous(),
            weight.contiguous(),
            order,
            table,
            y,
            rows,
            x.shape[1],
            weight.shape[2],
            OFFSETS=len(weight),
            PRECISION="tf32" if torch.backends.cudnn.allow_tf32 else "ieee",  # as convolutions are set
            **_TILE,
        )
    return y


_TILE = {"BLOCK_R": 64, "BLOCK_C": 32, "BLOCK_D": 64}


@kernel
def _conv_kernel(
    x: tl.tensor,
    weight: tl.tensor,
    order: tl.tensor,
    table: tl.tensor,
    y: tl.tensor,
    rows: tl.tensor,
    channels: tl.tensor,
    outputs: tl.tensor,
    OFFSETS: tl.constexpr,
    PRECISION: tl.constexpr,
    BLOCK_R: tl.constexpr,
    BLOCK_C: tl.constexpr,
    BLOCK_D: tl.constexpr,
) -> None:
    """BLOCK_R output rows × BLOCK_D output channels; an offset that no row of the tile has is skipped."""
    r = tl.program_id(0) * BLOCK_R + tl.arange(0, BLOCK_R)
    d = tl.program_id(1) * BLOCK_D + tl.arange(0, BLOCK_D)
    c = tl.arange(0, BLOCK_C)
    total = tl.zeros((BLOCK_R, BLOCK_D), tl.float32)
    table += r
    for _ in range(OFFSETS):
        source = tl.load(table, mask=r < rows, other=-1).to(tl.int64)
        if tl.max(source, 0) >= 0:
            for start in range(0, channels, BLOCK_C):
                inside = start + c < channels
                a = tl.load(
                    x + source[:, None] * channels + (start + c)[None, :],
                    mask=(source >= 0)[:, None] & inside[None, :],
                    other=0.0,
                )
                b = tl.load(
                    weight + (start + c)[:, None] * outputs + d[None, :],
                    mask=inside[:, None] & (d < outputs)[None, :],
                    other=0.0,
                )
                total = tl.dot(a, b, total, input_precision=PRECISION)
        table += rows
        weight += channels * outputs
    row = tl.load(order + r, mask=r < rows, other=0).to(tl.int64)
    tl.store(
        y + row[:, None] * outputs + d[None, :],
        total.to(y.dtype.element_ty),
        mask=(r < rows)[:, None] & (d < outputs)[None, :],
    )


# --------------------------------------------------------------------------------------- registration


@_conv.register_fake
def _(x: Tensor, weight: Tensor, rows: int, *how: Any) -> Tensor:
    return x.new_empty(rows, weight.shape[2])


@_grads.register_fake
def _(grad: Tensor, x: Tensor, weight: Tensor, wanted: list[bool], *how: Any) -> tuple[Tensor, Tensor]:
    to_x, to_weight = wanted
    return x.new_empty(x.shape if to_x else 0), weight.new_empty(weight.shape if to_weight else 0)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    *operands, ctx.other, plan, back, symmetric, masked = inputs
    ctx.save_for_backward(*operands, *plan, *back)
    ctx.how = symmetric, masked
    ctx.lengths = [len(operands), len(plan), len(back)]


def _saved(ctx: Any) -> tuple[list[Tensor], tuple[Any, ...], tuple[Any, ...]]:
    """The operands, the arguments that say how, and these arguments' gradients."""
    n, n_plan, n_back = ctx.lengths
    operands, plan, back = (
        ctx.saved_tensors[:n],
        ctx.saved_tensors[n : n + n_plan],
        ctx.saved_tensors[n + n_plan :],
    )
    return list(operands), (list(plan), list(back), *ctx.how), ([None] * n_plan, [None] * n_back, None, None)


def _conv_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    (x, weight), how, nothing = _saved(ctx)
    wanted = list(ctx.needs_input_grad[:2])
    dx, dw = _grads(grad.contiguous(), x, weight, wanted, *how)
    return dx if wanted[0] else None, dw if wanted[1] else None, None, *nothing


def _grads_backward(ctx: Any, to_x: Tensor, to_weight: Tensor) -> tuple[Any, ...]:
    """L is linear in g, x and W each, so what its gradients need is the same three products again."""
    (grad, x, weight), how, nothing = _saved(ctx)
    wanted_x, wanted_weight = ctx.other
    dgrad = torch.zeros_like(grad)
    if wanted_x:
        dgrad = dgrad + _conv(to_x, weight, len(grad), *how)
    if wanted_weight:
        dgrad = dgrad + _conv(x, to_weight, len(grad), *how)
    dx, dw = _grads(
        grad,
        to_x.contiguous() if wanted_x else x,
        to_weight if wanted_weight else weight,
        [wanted_weight, wanted_x],
        *how,
    )
    return dgrad, dx if wanted_weight else None, dw if wanted_x else None, None, *nothing


_conv.register_autograd(_conv_backward, setup_context=_save)
_grads.register_autograd(_grads_backward, setup_context=_save)


def _products(plan: list[Tensor], symmetric: bool, rows: int) -> int:
    """How many rows are multiplied by a matrix: one for each pair."""
    return len(plan[0]) + (rows if symmetric else 0)


def _conv_macs(
    x: Tensor,
    weight: Tensor,
    rows: int,
    plan: list[Tensor],
    back: Any,
    symmetric: bool,
    masked: Any,
    out: Tensor,
) -> int:
    return _products(plan, symmetric, rows) * weight.shape[1] * weight.shape[2]


def _grads_macs(
    grad: Tensor, x: Tensor, weight: Tensor, wanted: list[bool], plan: list[Tensor], back: Any, symmetric: bool,
    masked: Any, out: Any,
) -> int:  # fmt: skip
    return sum(wanted) * _products(plan, symmetric, len(x)) * weight.shape[1] * weight.shape[2]


def _conv_moved(x: Tensor, weight: Tensor, rows: int, plan: list[Tensor], *how: Any, out: Tensor) -> int:
    return nbytes(x, weight, out, *plan[:2])


def _grads_moved(
    grad: Tensor, x: Tensor, weight: Tensor, wanted: Any, plan: list[Tensor], *how: Any, out: Any
) -> int:
    return nbytes(grad, x, weight, *out, *plan[:2])


register_cost(_conv, macs=_conv_macs, moved=_conv_moved)
register_cost(_grads, macs=_grads_macs, moved=_grads_moved)
