"""Temporal shift fused into the 1 × 1 convolution that follows it: the shifted tensor is never made.

    y[t] = W shift(x)[t] = W₀ x[t + s₀, group 0] + W₁ x[t + s₁, group 1] + W₂ x[t, the other channels]

A 1 × 1 convolution is a matrix product over channels, so it splits by channel group, and each group reads
the frame that it needs where that frame lies. Nothing is written but y, and x keeps its values for the
residual sum beside it. On a CPU, where PyTorch's own convolution may outrun the products of the parts by more
than a shift costs, it is called on shifted images after all (`_moving_pays`).

With L = Σ_t <g[t], W shift(x)[t]>, the three products of training are ∂L/∂g (the forward pass), ∂L/∂x and
∂L/∂W. Each is linear in its two operands, and their gradients are the other two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.grad import conv2d_weight

from efficientlab.kernels.backend import (
    autocast,
    kernel,
    memory_format,
    nbytes,
    refuse_transforms,
    register_cost,
    use_triton,
    whole,
)
from efficientlab.kernels.shift import shift_groups, shift_op, shift_steps, shift_window, vector_length
from efficientlab.kernels.shifted_products import Layout, add_product, products

if TYPE_CHECKING:
    import triton.language as tl


def shifted_pointwise_conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    n_frames: int,
    fold_div: int = 8,
    causal: bool = False,
) -> Tensor:
    """`F.conv2d(temporal_shift(x, n_frames, fold_div, causal), weight, bias)` without the shifted tensor.

    It is counted as the convolution it replaces: N · T · H · W · C · D MACs. Products with the zeros outside
    a clip are in this number, as padding is in that of any convolution, though they are not computed.

    Args:
        x: (N · T, C, H, W), as in `temporal_shift`; contiguous and channels_last inputs are fastest.
        weight: (D, C) or (D, C, 1, 1).
        bias: (D,) or None.
        n_frames: T.
        fold_div: as in `temporal_shift`.
        causal: as in `temporal_shift`.

    Returns:
        (N · T, D, H, W), channels_last if x is. Under autocast, in its dtype.

    Raises:
        ValueError: as in `temporal_shift`; weight or bias does not fit x.
        TypeError: x, weight and bias are not of one floating dtype on one device.
    """
    n_frames = whole("n_frames", n_frames)
    fold, first, second = shift_steps(x, n_frames, fold_div, causal)
    if weight.ndim == 4 and weight.shape[2:] == (1, 1):
        weight = weight.flatten(1)  # (D, C)
    if weight.ndim != 2 or weight.shape[1] != x.shape[1]:
        raise ValueError(
            f"weight must be (D, C) or (D, C, 1, 1) with C={x.shape[1]} as x has, got {tuple(weight.shape)}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"bias must be (D,) = ({weight.shape[0]},), got {tuple(bias.shape)}")
    x, weight, bias = autocast(x, weight, bias)
    operands = {"x": x, "weight": weight} | ({} if bias is None else {"bias": bias})
    if not x.is_floating_point() or len({(t.dtype, t.device) for t in operands.values()}) > 1:
        got = ", ".join(f"{name} {t.dtype} on {t.device}" for name, t in operands.items())
        raise TypeError(f"the operands must be of one floating dtype and device, got {got}")
    refuse_transforms(x, weight, bias)
    steps = (n_frames, fold, first, second)
    if _moving_pays(x):
        return _pointwise(shift_op(x, *steps), weight, bias)
    return _conv(x, weight, bias, *steps)


def _moving_pays(x: Tensor) -> bool:
    """Whether a shift and PyTorch's own convolution are faster on a CPU than products of the parts of x.

    oneDNN convolves faster than BLAS multiplies, on some processors twice as fast, but only images whose channels
    lie together. PyTorch calls it with several threads, or from 16 images. What stands against it is memory: a
    block that the C library does not keep is new at every call, and touching new pages costs more than the
    product. So the shifted images must fit in what is kept, and on one thread their copy as well, which oneDNN
    makes of contiguous ones; several threads gain so much from oneDNN that they can afford it.
    """
    if torch.compiler.is_compiling() or x.device.type != "cpu" or use_triton(x) or not x.numel():
        return False  # a graph does not depend on the machine that traces it
    alone = torch.get_num_threads() == 1
    by_onednn = (
        x.dtype is torch.float32
        and torch.backends.mkldnn.is_available()
        and bool(torch.backends.mkldnn.enabled)
        and (len(x) >= 16 or not alone)
    )
    copied = alone and memory_format(x) is not torch.channels_last
    return by_onednn and nbytes(x) * (1 + copied) <= _KEPT


_KEPT = 2**25  # bytes: glibc returns larger blocks to the system (M_MMAP_THRESHOLD_MAX)


# ------------------------------------------------------------------------------------------- the ops

_ARGUMENTS = "int n_frames, int fold, int first, int second"


def _op(name: str, operands: str) -> Any:
    schema = f"({operands}, {_ARGUMENTS}) -> Tensor"
    return torch.library.custom_op(f"efficientlab::{name}", mutates_args=(), schema=schema)


@_op("shifted_pointwise_conv", "Tensor x, Tensor weight, Tensor? bias")
def _conv(x: Tensor, weight: Tensor, bias: Tensor | None, *steps: int) -> Tensor:
    """y[t] = W shift(x)[t] + b."""
    if use_triton(x):
        return _conv_triton(x, weight, bias, *steps)
    layout = Layout.of(x)
    if layout.format is torch.channels_last and x.numel() > 16 * weight.numel():
        weight = weight.t().contiguous().t()  # the order that BLAS multiplies faster, where a copy is small
    y = layout.empty(x, weight.shape[0])
    if bias is not None:
        y.copy_(bias[:, None])
    for fresh, y_part, w_part, x_part in products(layout, y, weight, layout.matrices(x), steps):
        keep = not fresh or bias is not None
        add_product(y_part, w_part, x_part, int(keep))
    return layout.restore(y)


@_op("shifted_pointwise_conv_input_grad", "Tensor grad, Tensor weight")
def _input_grad(grad: Tensor, weight: Tensor, *steps: int) -> Tensor:
    """∂L/∂x: Wᵀ g, shifted the other way. Every part of it has one source, or is a hole of zeros."""
    n_frames, fold, *groups = steps
    if use_triton(grad):
        x = _pointwise(grad, weight.t())
        return shift_op(x, n_frames, fold, *[-step for step in groups])
    layout = Layout.of(grad)
    x = layout.empty(grad, weight.shape[1])
    for _, y_part, w_part, x_part in products(layout, layout.matrices(grad), weight, x, steps):
        add_product(x_part, w_part.mT, y_part, 0)
    x = layout.restore(x)
    clips = x.unflatten(0, (len(x) // n_frames, n_frames))
    for group, step in shift_groups(fold, *groups):
        *_, hole = shift_window(n_frames, -step)
        clips[:, hole, group] = 0
    return x


@_op("shifted_pointwise_conv_weight_grad", "Tensor grad, Tensor x")
def _weight_grad(grad: Tensor, x: Tensor, *steps: int) -> Tensor:
    """∂L/∂W = Σ_t g[t] shift(x)[t]ᵀ."""
    if use_triton(x):
        shape = (grad.shape[1], x.shape[1], 1, 1)
        return conv2d_weight(shift_op(x, *steps), shape, grad).flatten(1)
    layout = Layout.of(x)
    y = layout.matrices(grad)
    w = x.new_zeros(grad.shape[1], x.shape[1])
    for _, y_part, w_part, x_part in products(layout, y, w, layout.matrices(x), steps, join=False):
        if x_part.ndim == 2:
            w_part.addmm_(y_part, x_part.mT)
        else:
            w_part.addbmm_(y_part, x_part.mT)
    return w


# --------------------------------------------------------------------------------- the Triton product


def _conv_triton(x: Tensor, weight: Tensor, bias: Tensor | None, *steps: int) -> Tensor:
    """The fused kernel where Triton reaches the tensor cores, else (T4, float64) a shift and cuBLAS."""
    if not _fused_on(x):
        return _pointwise(shift_op(x, *steps), weight, bias)
    layout, (frames, channels, h, w) = memory_format(x), x.shape
    x, weight = x.contiguous(memory_format=layout), weight.contiguous()
    y = _images(x, weight.shape[0])
    last = layout is torch.channels_last
    tiles = -(-len(weight) // _TILE["BLOCK_D"]) * -(-h * w // _TILE["BLOCK_P"])
    if y.numel():
        _conv_kernel[(frames * tiles,)](
            x,
            weight,
            None if bias is None else bias.contiguous(),
            y,
            *steps,
            channels,
            len(weight),
            h * w,
            1 if last else h * w,
            channels if last else 1,
            1 if last else h * w,
            len(weight) if last else 1,
            PRECISION="tf32" if torch.backends.cudnn.allow_tf32 else "ieee",  # as convolutions are set
            VECTOR=vector_length(steps[1], channels) if last else 1,
            **_TILE,
        )
    return y


_TILE = {"BLOCK_D": 64, "BLOCK_C": 32, "BLOCK_P": 64}


def _fused_on(x: Tensor) -> bool:
    half_or_single = x.dtype in {torch.float16, torch.bfloat16, torch.float32}
    return half_or_single and (not x.is_cuda or torch.cuda.get_device_capability(x.device) >= (8, 0))


def _pointwise(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return F.conv2d(x, weight[:, :, None, None], bias).contiguous(memory_format=memory_format(x))


@kernel
def _conv_kernel(
    x: tl.tensor,
    weight: tl.tensor,
    bias: tl.tensor,
    y: tl.tensor,
    n_frames: tl.tensor,
    fold: tl.tensor,
    first: tl.constexpr,
    second: tl.constexpr,
    channels: tl.tensor,
    outputs: tl.tensor,
    pixels: tl.tensor,
    x_channel: tl.tensor,
    x_pixel: tl.tensor,
    y_channel: tl.tensor,
    y_pixel: tl.tensor,
    PRECISION: tl.constexpr,
    VECTOR: tl.constexpr,
    BLOCK_D: tl.constexpr,
    BLOCK_C: tl.constexpr,
    BLOCK_P: tl.constexpr,
) -> None:
    """One tile of outputs × pixels of one frame; x_channel … y_pixel are strides, in elements.

    Which frame a channel comes from is part of its address, so the shift costs nothing beside the product.
    """
    across = tl.cdiv(outputs, BLOCK_D)
    down = tl.cdiv(pixels, BLOCK_P)
    d = tl.program_id(0) % across * BLOCK_D + tl.arange(0, BLOCK_D)
    p = tl.program_id(0) // across % down * BLOCK_P + tl.arange(0, BLOCK_P)
    index = tl.program_id(0) // across // down  # of the frame in the batch
    x += index.to(tl.int64) * channels * pixels
    y += index.to(tl.int64) * outputs * pixels
    total = tl.zeros((BLOCK_D, BLOCK_P), tl.float32)
    for start in range(0, channels, BLOCK_C):
        c = start + tl.arange(0, BLOCK_C)
        step = tl.where(c < fold, first, tl.where(c < 2 * fold, second, 0))
        t = index % n_frames + step
        inside = tl.max_constancy((c < channels) & (t >= 0) & (t < n_frames), VECTOR)
        row = tl.max_contiguous(tl.multiple_of(step * channels * pixels + c * x_channel, VECTOR), VECTOR)
        x_tile = tl.load(
            x + row[:, None] + p[None, :] * x_pixel, mask=inside[:, None] & (p < pixels)[None, :], other=0.0
        )
        w_tile = tl.load(
            weight + d[:, None] * channels + c[None, :],
            mask=(d < outputs)[:, None] & (c < channels)[None, :],
            other=0.0,
        )
        total = tl.dot(w_tile, x_tile, total, input_precision=PRECISION)
    if bias is not None:
        total += tl.load(bias + d, mask=d < outputs, other=0.0).to(tl.float32)[:, None]
    tl.store(
        y + d[:, None] * y_channel + p[None, :] * y_pixel,
        total.to(y.dtype.element_ty),
        mask=(d < outputs)[:, None] & (p < pixels)[None, :],
    )


# --------------------------------------------------------------------------------------- registration


def _images(x: Tensor, channels: int) -> Tensor:
    shape = (len(x), channels, *x.shape[2:])
    return torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=memory_format(x))


@_conv.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor | None, *steps: int) -> Tensor:
    return _images(x, weight.shape[0])


@_input_grad.register_fake
def _(grad: Tensor, weight: Tensor, *steps: int) -> Tensor:
    return _images(grad, weight.shape[1])


@_weight_grad.register_fake
def _(grad: Tensor, x: Tensor, *steps: int) -> Tensor:
    return x.new_empty(grad.shape[1], x.shape[1])


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:2])
    ctx.steps = inputs[-4:]


def _conv_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    x, weight = ctx.saved_tensors
    needs_x, needs_weight, needs_bias = ctx.needs_input_grad[:3]
    return (
        _input_grad(grad, weight, *ctx.steps) if needs_x else None,
        _weight_grad(grad, x, *ctx.steps) if needs_weight else None,
        grad.sum((0, 2, 3)) if needs_bias else None,
        *[None] * 4,
    )


def _input_grad_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    y, weight = ctx.saved_tensors
    needs_y, needs_weight = ctx.needs_input_grad[:2]
    return (
        _conv(grad, weight, None, *ctx.steps) if needs_y else None,
        _weight_grad(y, grad, *ctx.steps) if needs_weight else None,
        *[None] * 4,
    )


def _weight_grad_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    y, x = ctx.saved_tensors
    needs_y, needs_x = ctx.needs_input_grad[:2]
    return (
        _conv(x, grad, None, *ctx.steps) if needs_y else None,
        _input_grad(y, grad, *ctx.steps) if needs_x else None,
        *[None] * 4,
    )


_conv.register_autograd(_conv_backward, setup_context=_save)
_input_grad.register_autograd(_input_grad_backward, setup_context=_save)
_weight_grad.register_autograd(_weight_grad_backward, setup_context=_save)


def _conv_macs(x: Tensor, weight: Tensor, *args: Any, out: Tensor) -> int:
    return x.numel() * weight.shape[0]


def _input_grad_macs(grad: Tensor, weight: Tensor, *args: Any, out: Tensor) -> int:
    return grad.numel() * weight.shape[1]


def _weight_grad_macs(grad: Tensor, x: Tensor, *args: Any, out: Tensor) -> int:
    return grad.numel() * x.shape[1]


def _moved(*args: Any, out: Tensor) -> int:
    return nbytes(out, *(t for t in args if isinstance(t, Tensor)))


register_cost(_conv, macs=_conv_macs, moved=_moved)
register_cost(_input_grad, macs=_input_grad_macs, moved=_moved)
register_cost(_weight_grad, macs=_weight_grad_macs, moved=_moved)
