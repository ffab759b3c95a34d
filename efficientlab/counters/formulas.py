"""Multiply-accumulates (MACs) of an operator: corrections and additions to torch's registry.

torch.utils.flop_counter keeps a registry from operator to a formula in FLOPs. It is right for dense products
and forward convolutions, and that is what this package builds on. The formulas below take precedence over it
inside efficientlab's own counter, and only there: nothing is registered globally.

Each takes the operator's own arguments (tensors, not shapes) and its result, and returns MACs.
1 MAC = 2 FLOPs. MACs are real ones: a product of complex matrices costs four times that of real ones of the
same shapes. A complex convolution is by torch's own choice three real ones, and counts as these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

Formula = Callable[..., int]
MAC_FORMULAS: dict[Any, Formula] = {}

_aten = torch.ops.aten


def mac_formula(*names: str) -> Callable[[Formula], Formula]:
    """Attach a formula to the aten operators `names`, as far as this version of torch has them."""

    def attach(formula: Formula) -> Formula:
        for name in names:
            if hasattr(_aten, name):
                MAC_FORMULAS[getattr(_aten, name)] = formula
        return formula

    return attach


def macs_of(packet: Any, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> int | None:
    """MACs of one call of an operator, or None where no formula is known.

    `packet` is the operator without its overload (`torch.ops.aten.mm`).
    """
    if packet in MAC_FORMULAS:
        return MAC_FORMULAS[packet](*args, result=result, **kwargs) * real_macs(args)
    from torch.utils.flop_counter import flop_registry

    if packet in flop_registry:
        return flop_registry[packet](*args, out_val=result, **kwargs) // 2
    return None


def real_macs(args: Sequence[Any]) -> int:
    """Real multiply-accumulates in one of an operator on `args`: 4 where they are complex.

    (a + bi)·(c + di) + (e + fi) is ac - bd + e and ad + bc + f.
    """
    return 4 if any(isinstance(x, Tensor) and x.is_complex() for x in args) else 1


def has_formula(packet: Any) -> bool:
    from torch.utils.flop_counter import flop_registry

    return packet in MAC_FORMULAS or packet in flop_registry


# ------------------------------------------------------------------------------------ matrix products


def _is_sparse(x: Tensor) -> bool:
    return x.layout is not torch.strided


def nnz(x: Tensor) -> int:
    """Stored scalars of a sparse matrix; a block of BSR or BSC counts with all its entries."""
    return x._values().numel() if x.layout is torch.sparse_coo else x.values().numel()


def _row_and_column_indices(x: Tensor) -> Tensor:
    return (x if x.layout is torch.sparse_coo else x.to_sparse_coo())._indices()


def product_macs(a: Tensor, b: Tensor) -> int:
    """a[m, k] @ b[k, n] (a vector b has n = 1): m·k·n, or the stored entries alone where a or b is sparse.

    Sparse @ sparse costs a MAC for each pair (i, k), (k, j) of stored entries: Σ_k |a[:, k]|·|b[k, :]|.
    """
    if _is_sparse(a) and _is_sparse(b):
        k = a.shape[1]
        per_column = torch.bincount(_row_and_column_indices(a)[1], minlength=k)  # [k]
        per_row = torch.bincount(_row_and_column_indices(b)[0], minlength=k)  # [k]
        return int((per_column * per_row).sum())
    if _is_sparse(b):
        return a.shape[0] * nnz(b)
    columns = b.shape[1] if b.dim() == 2 else 1
    return (nnz(a) if _is_sparse(a) else a.numel()) * columns


@mac_formula("mm", "mv", "_int_mm", "_sparse_sparse_matmul", "_sparse_mm_reduce_impl", "hspmm")
def _mm(a: Tensor, b: Tensor, *args: Any, result: Any, **kwargs: Any) -> int:
    return product_macs(a, b)


@mac_formula("addmm", "addmv", "_sparse_addmm", "_addmm_activation", "sspaddmm")
def _addmm(bias: Tensor, a: Tensor, b: Tensor, *args: Any, result: Any, **kwargs: Any) -> int:
    return product_macs(a, b)


for _name in ("addmm_", "addmv_"):
    mac_formula(_name)(_addmm)


@mac_formula("dot", "vdot")
def _dot(a: Tensor, b: Tensor, *, result: Any, **kwargs: Any) -> int:
    return a.numel()


@mac_formula("addr", "addr_")
def _outer(x: Tensor, a: Tensor, b: Tensor, *, result: Any, **kwargs: Any) -> int:
    return a.numel() * b.numel()


@mac_formula("baddbmm", "baddbmm_", "addbmm", "addbmm_")
def _baddbmm(x: Tensor, a: Tensor, b: Tensor, *args: Any, result: Any, **kwargs: Any) -> int:
    return a.numel() * b.shape[2]


@mac_formula("bmm", "matmul")
def _batched(a: Tensor, b: Tensor, *args: Any, result: Tensor, **kwargs: Any) -> int:
    """a[.., m, k] @ b[.., k, n]: k MACs for each result, matrix by matrix where they are nested."""
    if a.is_nested and b.is_nested:
        return sum(x.numel() * y.shape[-1] for x, y in zip(a.unbind(), b.unbind(), strict=True))
    return nnz(a) * b.shape[-1] if _is_sparse(a) else result.numel() * a.size(-1)


@mac_formula("matmul_backward")
def _batched_backward(
    grad: Tensor, a: Tensor, b: Tensor, output_mask: Sequence[bool], *, result: Any, **kwargs: Any
) -> int:
    """Each of the two gradients uses every product of the forward pass exactly once."""
    if a.is_nested and b.is_nested:
        return _batched(a, b, result=grad) * sum(output_mask)
    return grad.numel() * a.size(-1) * sum(output_mask)


@mac_formula("linear")
def _linear(x: Tensor, weight: Tensor, *args: Any, result: Any, **kwargs: Any) -> int:
    return x.numel() * weight.shape[0]


@mac_formula("linear_backward")
def _linear_backward(
    x: Tensor, grad: Tensor, weight: Tensor, output_mask: Sequence[bool], *, result: Any, **kwargs: Any
) -> int:
    """Gradients of x and of the weight; that of the bias is a sum."""
    return x.numel() * weight.shape[0] * (output_mask[0] + output_mask[1])


@mac_formula("sparse_sampled_addmm")
def _sampled(x: Tensor, a: Tensor, b: Tensor, *args: Any, result: Any, **kwargs: Any) -> int:
    """a[m, k] @ b[k, n], evaluated only where x[m, n] stores an entry: nnz(x)·k."""
    return nnz(x) * a.shape[-1]


@mac_formula("_cdist_forward", "_euclidean_dist")
def _pairwise_distance(a: Tensor, b: Tensor, *args: Any, result: Tensor, **kwargs: Any) -> int:
    """Distances of a[.., P, C] to b[.., R, C]: C MACs for each of the P·R pairs."""
    return result.numel() * a.shape[-1]


@mac_formula("_cdist_backward")
def _pairwise_distance_backward(
    grad: Tensor, a: Tensor, b: Tensor, *args: Any, result: Tensor, **kwargs: Any
) -> int:
    return grad.numel() * a.shape[-1]


@mac_formula("_pdist_forward", "_pdist_backward")
def _distance_within(x: Tensor, *args: Any, result: Tensor, **kwargs: Any) -> int:
    """Distances within a[P, C] (or their gradient): C MACs for each of the P·(P - 1)/2 pairs."""
    points, channels = (args[0] if args and isinstance(args[0], Tensor) else x).shape
    return points * (points - 1) // 2 * channels


# ----------------------------------------------------------------------------------------- convolution


def conv_macs(x_shape: Sequence[int], w: Tensor, out_shape: Sequence[int], transposed: bool) -> int:
    """N · (positions) · |w|, for any dimension, stride, dilation and number of groups.

    w is [C_out, C_in/groups, *k] and is applied once at each *output* position; for a transposed
    convolution it is [C_in, C_out/groups, *k] and is applied once at each *input* position. Products
    with the zero padding are counted, as every published figure does.
    """
    n, _, *positions = x_shape if transposed else out_shape
    return n * prod(positions) * w.numel()


@mac_formula("convolution", "_convolution", "convolution_overrideable")
def _conv(
    x: Tensor, w: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    *args: Any, result: Tensor, **kwargs: Any,
) -> int:  # fmt: skip
    return conv_macs(x.shape, w, result.shape, transposed)


@mac_formula(
    "cudnn_convolution", "cudnn_convolution_relu", "cudnn_convolution_add_relu", "mkldnn_convolution",
    "miopen_convolution", "miopen_depthwise_convolution", "_slow_conv2d_forward", "_conv_depthwise2d",
    "conv_depthwise3d", "slow_conv3d_forward", "slow_conv_dilated2d", "slow_conv_dilated3d",
    "_nnpack_spatial_convolution",
)  # fmt: skip
def _conv_forward_only(x: Tensor, w: Tensor, *args: Any, result: Tensor, **kwargs: Any) -> int:
    return conv_macs(x.shape, w, result.shape, transposed=False)


@mac_formula("cudnn_convolution_transpose", "slow_conv_transpose2d", "slow_conv_transpose3d")
def _conv_transpose_only(x: Tensor, w: Tensor, *args: Any, result: Tensor, **kwargs: Any) -> int:
    return conv_macs(x.shape, w, result.shape, transposed=True)


@mac_formula("convolution_backward", "convolution_backward_overrideable")
def _conv_backward(
    grad_out: Tensor, x: Tensor, w: Tensor, bias_sizes: Any, stride: Any, padding: Any, dilation: Any,
    transposed: bool, output_padding: Any, groups: int, output_mask: Sequence[bool], *, result: Any, **kwargs: Any,
) -> int:  # fmt: skip
    """Each of the two gradients, of x and of w, uses every product of the forward pass exactly once.

    torch's own formula ignores groups here: ×2 at 4 groups, far more for a depthwise convolution.
    """
    return conv_macs(x.shape, w, grad_out.shape, transposed) * (output_mask[0] + output_mask[1])


@mac_formula("conv_tbc")
def _conv_tbc(x: Tensor, w: Tensor, *args: Any, result: Tensor, **kwargs: Any) -> int:
    """w[k, C_in, C_out] at each of the output's [T, N] positions."""
    return result.shape[0] * result.shape[1] * w.numel()


# ------------------------------------------------------------------------------------------- recurrent


@mac_formula("mkldnn_rnn_layer")
def _rnn_layer(x: Tensor, w_input: Tensor, w_hidden: Tensor, *args: Any, result: Any, **kwargs: Any) -> int:
    """One layer in one direction over x[T, N, I]: T·N·(|W_ih| + |W_hh|)."""
    return x.shape[0] * x.shape[1] * (w_input.numel() + w_hidden.numel())


@mac_formula("mkldnn_rnn_layer_backward")
def _rnn_layer_backward(
    x: Tensor, w_input: Tensor, w_hidden: Tensor, *args: Any, result: Any, **kwargs: Any
) -> int:
    """The fused kernel always makes both gradients, of activations and of weights: twice the forward."""
    return 2 * _rnn_layer(x, w_input, w_hidden, result=result)


def _cudnn_rnn_macs(x: Tensor, weights: Sequence[Tensor], batch_sizes: Sequence[int]) -> int:
    """Every weight matrix of every layer and direction is applied to every token once; biases are vectors."""
    tokens = sum(batch_sizes) if batch_sizes else x.shape[0] * x.shape[1]
    return tokens * sum(w.numel() for w in weights if w.dim() == 2)


@mac_formula("_cudnn_rnn")
def _cudnn_rnn(
    x: Tensor, weights: Sequence[Tensor], stride0: int, buf: Any, hx: Any, cx: Any, mode: int, hidden: int,
    proj: int, layers: int, batch_first: bool, dropout: float, train: bool, bidirectional: bool,
    batch_sizes: Sequence[int], dropout_state: Any, *, result: Any, **kwargs: Any,
) -> int:  # fmt: skip
    return _cudnn_rnn_macs(x, weights, batch_sizes)


@mac_formula("_cudnn_rnn_backward")
def _cudnn_rnn_backward(
    x: Tensor, weights: Sequence[Tensor], stride0: int, buf: Any, hx: Any, cx: Any, output: Any,
    grad_out: Any, grad_hy: Any, grad_cy: Any, mode: int, hidden: int, proj: int, layers: int,
    batch_first: bool, dropout: float, train: bool, bidirectional: bool, batch_sizes: Sequence[int],
    dropout_state: Any, reserve: Any, output_mask: Sequence[bool], *, result: Any, **kwargs: Any,
) -> int:  # fmt: skip
    """The gradient of the activations is always made, that of the weights where asked for."""
    return _cudnn_rnn_macs(x, weights, batch_sizes) * (1 + output_mask[3])


# ------------------------------------------------------------------------- interpolation, weighted bags


@mac_formula("_embedding_bag", "_embedding_bag_forward_only")
def _embedding_bag(
    weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool = False, mode: int = 0,
    sparse: bool = False, per_sample_weights: Tensor | None = None, *args: Any, result: Any, **kwargs: Any,
) -> int:  # fmt: skip
    """A plain bag is a sum or a maximum of rows: 0. A weighted one is a MAC for each gathered element."""
    return 0 if per_sample_weights is None else indices.numel() * weight.shape[1]


@mac_formula("_embedding_bag_backward")
def _embedding_bag_backward(
    grad: Tensor, indices: Tensor, offsets: Tensor, of_bag: Any, sizes: Any, maxima: Any, rows: int,
    by_frequency: bool, mode: int, sparse: bool, per_sample_weights: Tensor | None, *args: Any,
    result: Any, **kwargs: Any,
) -> int:  # fmt: skip
    return 0 if per_sample_weights is None else indices.numel() * grad.shape[1]


@mac_formula("_embedding_bag_dense_backward")
def _embedding_bag_dense_backward(
    grad: Tensor, indices: Tensor, of_bag: Any, sizes: Any, maxima: Any, rows: int, by_frequency: bool,
    mode: int, per_sample_weights: Tensor | None, *args: Any, result: Any, **kwargs: Any,
) -> int:  # fmt: skip
    return 0 if per_sample_weights is None else indices.numel() * grad.shape[1]


@mac_formula("_embedding_bag_per_sample_weights_backward")
def _embedding_bag_weights_backward(
    grad: Tensor, weight: Tensor, indices: Tensor, *args: Any, result: Any, **kwargs: Any
) -> int:
    """The gradient of a weight is the product of a gradient row and a table row."""
    return indices.numel() * weight.shape[1]


def _interpolate(corners: int) -> None:
    """A MAC for each corner of each output value; its gradient uses the same products."""

    def forward(*args: Any, result: Tensor, **kwargs: Any) -> int:
        return corners * result.numel()

    def backward(grad_out: Tensor, *args: Any, result: Tensor, **kwargs: Any) -> int:
        return corners * grad_out.numel()

    for name in {2: ["linear1d"], 4: ["bilinear2d"], 8: ["trilinear3d"], 16: ["bicubic2d"]}[corners]:
        mac_formula(f"upsample_{name}")(forward)
        mac_formula(f"upsample_{name}_backward")(backward)


for _corners in (2, 4, 8, 16):
    _interpolate(_corners)

_NEAREST, _BICUBIC = 1, 2


def _grid_sample_corners(dims: int, mode: int) -> int:
    return {_NEAREST: 0, _BICUBIC: 4**dims}.get(mode, 2**dims)


@mac_formula("grid_sampler_2d", "grid_sampler_3d", "cudnn_grid_sampler")
def _grid_sample(x: Tensor, grid: Tensor, mode: int = 0, *args: Any, result: Tensor, **kwargs: Any) -> int:
    return _grid_sample_corners(grid.shape[-1], mode) * result.numel()


@mac_formula("grid_sampler_2d_backward", "grid_sampler_3d_backward")
def _grid_sample_backward(
    grad_out: Tensor, x: Tensor, grid: Tensor, mode: int, padding: int, align: bool,
    output_mask: Sequence[bool], *, result: Any, **kwargs: Any,
) -> int:  # fmt: skip
    """Gradient of x: one MAC a corner. Gradient of the grid: one a corner and coordinate."""
    corners = _grid_sample_corners(grid.shape[-1], mode)
    return corners * grad_out.numel() * (output_mask[0] + grid.shape[-1] * output_mask[1])
