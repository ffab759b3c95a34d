"""Temporal shift: features move along time, so that a 2D network sees neighbouring frames for free.

    offline, bidirectional:  y[t, c] = x[t + 1, c]   c in [0, fold)
                             y[t, c] = x[t − 1, c]   c in [fold, 2 · fold)
                             y[t, c] = x[t, c]       other channels
    causal:                  y[t, c] = x[t − 1, c]   c in [0, fold)
                             y[t, c] = x[t, c]       other channels

with fold = C // fold_div and zeros in place of frames outside the clip. No multiplication is made, but memory
is moved: zero FLOPs is not zero time. `shifted_conv` has the form that moves nothing.

Lin, Gan and Han, "TSM: Temporal Shift Module for Efficient Video Understanding" (ICCV 2019).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from efficientlab.kernels.backend import (
    kernel,
    memory_format,
    nbytes,
    refuse_transforms,
    register_cost,
    use_triton,
    whole,
)

if TYPE_CHECKING:
    import triton.language as tl


def temporal_shift(x: Tensor, n_frames: int, fold_div: int = 8, causal: bool = False) -> Tensor:
    """Shift C // fold_div channels one frame in time, and as many the other way unless causal.

    Frames that come from outside a clip are zeros; clips of a batch never mix. The result is a new tensor:
    a shift in place would also change x where a residual sum still needs it.

    Args:
        x: (N · T, C, H, W), the frames of a clip one after the other; any strides and dtype. Contiguous and
            channels_last inputs are fastest, and the result has their format.
        n_frames: T.
        fold_div: the shifted part of the channels is 1 / fold_div in each direction.
        causal: only look back, as a stream must; see `temporal_shift_step`.

    Returns:
        (N · T, C, H, W), shifted.

    Raises:
        ValueError: x is not 4D, its first dimension is no multiple of T, or fold_div leaves no channel to
            shift or too few.
        TypeError: n_frames or fold_div is not a whole number.
    """
    n_frames = whole("n_frames", n_frames)
    fold, first, second = shift_steps(x, n_frames, fold_div, causal)
    refuse_transforms(x)
    return shift_op(x, n_frames, fold, first, second)


def temporal_shift_step(x: Tensor, cache: Tensor | None, fold_div: int = 8) -> tuple[Tensor, Tensor]:
    """One frame of the causal shift, online: the previous frame's channels come from a cache.

    Frame by frame it equals `temporal_shift(…, causal=True)` exactly. Start every stream with cache None: a
    cache kept from another stream leaks its last frame into the new one.

    Args:
        x: (N, C, H, W), the present frame of N streams.
        cache: (N, fold, H, W) from the step before, fold = C // fold_div, or None at the start (zeros).
        fold_div: as in `temporal_shift`.

    Returns:
        y: (N, C, H, W), the shifted frame.
        cache: (N, fold, H, W), a copy of this frame's first channels for the next step.

    Raises:
        ValueError: x or cache has a wrong shape, or fold_div leaves no channel to shift.
        TypeError: the cache has another dtype or device than x.
    """
    fold, _, _ = shift_steps(x, 1, fold_div, causal=True)
    if cache is None:
        cache = x.new_zeros(x.shape[0], fold, *x.shape[2:])
    shape = (x.shape[0], fold, *x.shape[2:])
    if cache.shape != shape:
        raise ValueError(f"cache must be (N, C // fold_div, H, W) = {shape}, got {tuple(cache.shape)}")
    if cache.dtype != x.dtype or cache.device != x.device:
        raise TypeError(f"cache is {cache.dtype} on {cache.device}, x is {x.dtype} on {x.device}")
    return torch.cat([cache, x[:, fold:]], 1), x[:, :fold].clone()


# ------------------------------------------------------------------------------------ the shift as data


def shift_steps(x: Tensor, n_frames: int, fold_div: int, causal: bool) -> tuple[int, int, int]:
    """Check the arguments of a shift; (fold, first, second) with y[t, group] = x[t + step, group].

    The first group is channels [0, fold), the second [fold, 2 · fold); a step of 0 is no group.
    """
    if x.ndim != 4:
        raise ValueError(f"x must be (N·T, C, H, W), got shape {tuple(x.shape)}")
    if n_frames < 1 or x.shape[0] % n_frames:
        raise ValueError(f"x holds {x.shape[0]} frames, which are no clips of n_frames={n_frames}")
    groups, fold_div = 1 if causal else 2, whole("fold_div", fold_div)
    if fold_div < groups:
        raise ValueError(f"fold_div must be at least {groups}, one part for each direction, got {fold_div}")
    fold = x.shape[1] // fold_div
    if fold == 0:
        raise ValueError(
            f"nothing would be shifted: C // fold_div = {x.shape[1]} // {fold_div} = 0; "
            f"use a fold_div of at most {x.shape[1]}"
        )
    return (fold, -1, 0) if causal else (fold, 1, -1)


def shift_groups(fold: int, first: int, second: int) -> Iterator[tuple[slice, int]]:
    """(channels, step) of every group that moves."""
    yield slice(0, fold), first
    if second:
        yield slice(fold, 2 * fold), second


def shift_window(n_frames: int, step: int) -> tuple[slice, slice, slice]:
    """Frames of a clip that receive a step, the frames that they receive, and the frames left with zeros."""
    if step > 0:
        inner = max(n_frames - step, 0)
        return slice(0, inner), slice(n_frames - inner, n_frames), slice(inner, n_frames)
    start = min(-step, n_frames)
    return slice(start, n_frames), slice(0, n_frames - start), slice(0, start)


# --------------------------------------------------------------------------------------------- the op


@torch.library.custom_op(
    "efficientlab::temporal_shift",
    mutates_args=(),
    schema="(Tensor x, int n_frames, int fold, int first, int second) -> Tensor",
)
def shift_op(x: Tensor, n_frames: int, fold: int, first: int, second: int) -> Tensor:
    run = _shift_triton if use_triton(x) else _shift_torch
    return run(x, n_frames, fold, first, second)


def _shift_torch(x: Tensor, n_frames: int, fold: int, first: int, second: int) -> Tensor:
    layout = memory_format(x)
    y = torch.empty_like(x, memory_format=layout)
    clips = (x.shape[0] // n_frames, n_frames)
    source, target = x.unflatten(0, clips), y.unflatten(0, clips)  # (N, T, C, H, W)
    groups = list(shift_groups(fold, first, second))
    if layout is torch.channels_last:
        y.copy_(x)  # all at once: the channels that stay are a short run of every pixel
    else:
        moved = groups[-1][0].stop
        target[:, :, moved:] = source[:, :, moved:]
    for channels, step in groups:
        to, of, hole = shift_window(n_frames, step)
        target[:, to, channels] = source[:, of, channels]
        target[:, hole, channels] = 0
    return y


def _shift_triton(x: Tensor, n_frames: int, fold: int, first: int, second: int) -> Tensor:
    layout = memory_format(x)
    x = x.contiguous(memory_format=layout)
    y = torch.empty_like(x, memory_format=layout)
    if not x.numel():
        return y
    frame = x[0].numel()
    inner = 1 if layout is torch.channels_last else frame // x.shape[1]  # elements between two channels
    blocks = -(-frame // _BLOCK)
    _shift_kernel[(x.shape[0] * blocks,)](
        x,
        y,
        n_frames,
        fold * inner,
        frame,
        x.shape[1] * inner,
        first,
        second,
        VECTOR=vector_length(fold * inner, frame),
        BLOCK=_BLOCK,
    )
    return y


_BLOCK = 1024


def vector_length(*lengths: int) -> int:
    """Largest power of two up to 16 that divides all lengths: elements that always move together."""
    vector = 16
    while any(length % vector for length in lengths):
        vector //= 2
    return vector


@kernel
def _shift_kernel(
    x: tl.tensor,
    y: tl.tensor,
    n_frames: tl.tensor,
    fold: tl.tensor,
    frame: tl.tensor,
    period: tl.tensor,
    first: tl.constexpr,
    second: tl.constexpr,
    VECTOR: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """One block of one frame. Both formats are rows of `period` elements that begin with the two groups.

    A row is a frame in the contiguous format (fold · H · W elements to a group), a pixel in channels_last.
    Groups begin at multiples of VECTOR, so vectors of that length never straddle two of them; the hints tell
    the compiler, which then loads whole vectors.
    """
    blocks = tl.cdiv(frame, BLOCK)
    index = tl.program_id(0) // blocks  # of the frame in the batch
    i = tl.program_id(0) % blocks * BLOCK + tl.arange(0, BLOCK)
    place = i % period
    step = tl.where(place < fold, first, tl.where(place < 2 * fold, second, 0))
    t = index % n_frames + step
    inside = tl.max_constancy((i < frame) & (t >= 0) & (t < n_frames), VECTOR)
    source = tl.max_contiguous(tl.multiple_of(i + step * frame, VECTOR), VECTOR)
    start = index.to(tl.int64) * frame
    value = tl.load(x + start + source, mask=inside, other=0.0)
    tl.store(y + start + i, value, mask=i < frame)


@shift_op.register_fake
def _(x: Tensor, n_frames: int, fold: int, first: int, second: int) -> Tensor:
    return torch.empty_like(x, memory_format=memory_format(x))


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.steps = inputs[1:]


def _backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    """What a channel brought from t + step, its gradient takes back: the shift the other way."""
    n_frames, fold, first, second = ctx.steps
    return shift_op(grad, n_frames, fold, -first, -second), None, None, None, None


shift_op.register_autograd(_backward, setup_context=_setup)
register_cost(shift_op, moved=lambda x, *args, out: nbytes(x, out))
