"""DiffAugment: differentiable augmentation of real and generated images, fused into one pass.

The plain form is a chain of five steps, drawn anew for every image:

    brightness   x + b                            b ~ U(−0.5, 0.5)
    saturation   s (x − μ) + μ                    s ~ U(0, 2), μ the mean over channels, at each pixel
    contrast     k (x − M) + M                    k ~ U(0.5, 1.5), M the mean over the image
    translation  y[i, j] = x[i + u, j + v]        |u| ≤ H / 8, |v| ≤ W / 8, zeros from outside
    cutout       y = 0 in a rectangle             of half the height and half the width

The three of colour are one affine map. With μ and M of the image as it came,

    y = k s x + k (1 − s) μ + (1 − k) M + b

so that translation and cutout only choose where it is read and where it is not written. The linear part is
symmetric: the gradient takes the image back through cutout and translation and then through the same map.

Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training" (NeurIPS 2020).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

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

POLICY = ("color", "translation", "cutout")


class Augmentation(NamedTuple):
    """What is done to each of N images of one size; see `draw_augmentation`."""

    color: Tensor
    """(N, 3) floating: brightness b, saturation s, contrast k. Neutral: 0, 1, 1."""
    translation: Tensor
    """(N, 2) int64: rows u and columns v. Neutral: 0, 0."""
    cutout: Tensor
    """(N, 2) int64: first row and column of the cutout; negative where it begins outside. Neutral: H, W."""


@torch.inference_mode(False)  # what is drawn in evaluation serves training, too
def draw_augmentation(
    n: int,
    size: tuple[int, int],
    *,
    policy: str | Collection[str] = POLICY,
    generator: torch.Generator | None = None,
) -> Augmentation:
    """Draw the parameters of DiffAugment for n images.

    The same numbers are drawn whatever the policy, so leaving a step out does not change the others. The
    centre of the cutout is uniform over the image, hence parts of it may lie outside.

    Args:
        n: N.
        size: (H, W).
        policy: the steps to take, of "color", "translation" and "cutout"; the others are neutral. Also as one
            string, "color,translation,cutout", as the paper's code has it.
        generator: where the numbers come from, and the device of the result; default: the CPU's generator.

    Raises:
        ValueError: a step that does not exist; n is negative, or size is not of two.
        TypeError: n or size is no whole number.
    """
    if isinstance(policy, str):
        policy = [step.strip() for step in policy.split(",")] if policy.strip() else []
    unknown = set(policy) - set(POLICY) if isinstance(policy, Collection) else {policy}
    if unknown:
        raise ValueError(f"policy may hold {', '.join(POLICY)}, got {', '.join(sorted(map(str, unknown)))}")
    n, size = whole("n", n), _size(size)
    if n < 0:
        raise ValueError(f"n must not be negative, got {n}")
    device = torch.device("cpu") if generator is None else generator.device
    color = torch.rand(n, 3, generator=generator, device=device)
    b, s, k = color.unbind(1)
    color = torch.stack([b - 0.5, 2 * s, k + 0.5], 1)
    translation, cutout = [], []
    for length in size:
        reach, cut = int(length / 8 + 0.5), _cut_length(length)
        translation.append(torch.randint(-reach, reach + 1, (n,), generator=generator, device=device))
        centre = torch.randint(0, length + 1 - cut % 2, (n,), generator=generator, device=device)
        cutout.append(centre - cut // 2)
    neutral = neutral_augmentation(n, size, device)
    return Augmentation(
        color if "color" in policy else neutral.color,
        torch.stack(translation, 1) if "translation" in policy else neutral.translation,
        torch.stack(cutout, 1) if "cutout" in policy else neutral.cutout,
    )


@torch.inference_mode(False)
def neutral_augmentation(n: int, size: tuple[int, int], device: Any = "cpu") -> Augmentation:
    """The augmentation of n images of `size` (H, W) that changes nothing."""
    return Augmentation(
        torch.tensor([0.0, 1.0, 1.0], device=device).repeat(n, 1),
        torch.zeros(n, 2, dtype=torch.int64, device=device),
        torch.tensor(size, device=device).repeat(n, 1),
    )


def diff_augment(
    x: Tensor,
    augmentation: Augmentation | None = None,
    *,
    policy: str | Collection[str] = POLICY,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Augment images, each in its own way, differentiably in x (also twice, for gradient penalties).

    Counted as 0 MACs, as all element-wise work is.

    Args:
        x: (N, C, H, W), floating; values around [−1, 1]. Contiguous or channels_last, and the result too.
        augmentation: what to do, from `draw_augmentation`; drawn here if not given. No gradient goes to it.
        policy: the steps, where they are drawn here.
        generator: where the numbers come from, where they are drawn here.

    Returns:
        (N, C, H, W), augmented.

    Raises:
        ValueError: x is not 4D; the augmentation is of another number of images; a step does not exist.
        TypeError: x or color is not floating, or translation and cutout are not int64.
    """
    if x.ndim != 4:
        raise ValueError(f"x must be (N, C, H, W), got shape {tuple(x.shape)}")
    if not x.is_floating_point():
        raise TypeError(f"x must be floating, got {x.dtype}; scale images to [−1, 1] first")
    n, _, h, w = x.shape
    if augmentation is None:
        augmentation = draw_augmentation(n, (h, w), policy=policy, generator=generator)
    if len(augmentation) != 3:
        raise ValueError(
            f"augmentation must be color, translation and cutout, got {len(augmentation)} tensors"
        )
    for name, value, width in zip(Augmentation._fields, augmentation, (3, 2, 2), strict=True):
        if value.shape != (n, width):
            raise ValueError(f"{name} must be (N, {width}) = ({n}, {width}), got {tuple(value.shape)}")
        if name != "color" and value.dtype != torch.int64:
            raise TypeError(f"{name} must be int64, got {value.dtype}")
    if not augmentation[0].is_floating_point():
        raise TypeError(f"color must be floating, got {augmentation[0].dtype}")
    refuse_transforms(x)
    color, translation, cutout = (value.detach().to(x.device) for value in augmentation)
    return augment_op(x, color, translation, cutout, False)


def _size(size: Any) -> tuple[int, int]:
    sizes = tuple(size) if isinstance(size, Iterable) else ()
    if len(sizes) != 2:
        raise ValueError(f"size must be (H, W), got {size!r}")
    return whole("size", sizes[0]), whole("size", sizes[1])


def _cut_length(length: int) -> int:
    return int(length * 0.5 + 0.5)


# --------------------------------------------------------------------------------------------- the op


@torch.library.custom_op(
    "efficientlab::diff_augment",
    mutates_args=(),
    schema="(Tensor x, Tensor color, Tensor translation, Tensor cutout, bool adjoint) -> Tensor",
)
def augment_op(x: Tensor, color: Tensor, translation: Tensor, cutout: Tensor, adjoint: bool) -> Tensor:
    """Colour, then translation and cutout; or, for the adjoint, back through these and then colour."""
    color = color.to(torch.promote_types(x.dtype, torch.float32))
    run = _augment_triton if use_triton(x) else _augment_torch
    return run(x, color, translation, cutout, adjoint)


def _augment_torch(x: Tensor, color: Tensor, translation: Tensor, cutout: Tensor, adjoint: bool) -> Tensor:
    y = torch.zeros_like(x, memory_format=memory_format(x))
    gain = _gain(color).to(x.dtype)
    size = x.shape[2:]
    places = zip(x, y, translation.tolist(), cutout.tolist(), strict=True)
    if adjoint:
        for source, target, shift, corner in places:
            (rows, of_rows), (columns, of_columns) = map(_overlap, size, shift)
            target[:, of_rows, of_columns] = source[:, rows, columns]
            target[:, *map(_hole, size, corner, shift)] = 0
        return torch.addcmul(_base(y, color), y, gain, out=y)
    for (source, target, shift, corner), base, scale in zip(
        places, _base(x, color), gain.flatten().tolist(), strict=True
    ):
        (rows, of_rows), (columns, of_columns) = map(_overlap, size, shift)
        of = (slice(None), of_rows, of_columns)
        torch.add(base[of], source[of], alpha=scale, out=target[:, rows, columns])
        target[:, *map(_hole, size, corner, (0, 0))] = 0
    return y


def _gain(color: Tensor) -> Tensor:
    return (color[:, 1] * color[:, 2])[:, None, None, None]  # k s, (N, 1, 1, 1)


def _base(x: Tensor, color: Tensor) -> Tensor:
    """What colour adds to k s x: k (1 − s) μ + (1 − k) M + b, (N, 1, H, W)."""
    b, s, k = color[:, :, None, None, None].unbind(1)  # (N, 1, 1, 1)
    mean = x.mean(1, keepdim=True, dtype=color.dtype)  # (N, 1, H, W)
    return (k * (1 - s) * mean + (1 - k) * mean.mean((2, 3), keepdim=True) + b).to(x.dtype)


def _overlap(length: int, shift: int) -> tuple[slice, slice]:
    """Where a translated axis receives something, and what it receives."""
    start, stop = max(0, -shift), min(length, length - shift)
    stop = max(start, stop)
    return slice(start, stop), slice(start + shift, stop + shift)


def _hole(length: int, corner: int, shift: int) -> slice:
    """The part of a cutout that lies inside, seen from an image that is yet to be translated by `shift`."""
    start = corner + shift
    return slice(max(start, 0), max(start + _cut_length(length), 0))


def _augment_triton(x: Tensor, color: Tensor, translation: Tensor, cutout: Tensor, adjoint: bool) -> Tensor:
    layout, (n, channels, h, w) = memory_format(x), x.shape
    x = x.contiguous(memory_format=layout)
    y = torch.empty_like(x, memory_format=layout)
    if not x.numel():
        return y
    color = color.contiguous()
    places = torch.cat([translation, cutout], 1)  # (N, 4)
    blocks = -(-h * w // _BLOCK)
    shape = (channels, h, w, _cut_length(h), _cut_length(w))
    strides = (1, channels) if layout is torch.channels_last else (h * w, 1)
    options: Any = {"CHANNELS": _power_of_two(channels), "BLOCK": _BLOCK}

    def run(out: Tensor, mean: Tensor, **mode: bool) -> None:
        _augment_kernel[(n * blocks,)](x, out, color, places, mean, *shape, *strides, **mode, **options)

    if adjoint:
        sums = color.new_empty(n, blocks)
        run(sums, sums, ADJOINT=True, SUM=True)
        mean = sums.sum(1) / (channels * h * w)
    else:
        mean = x.mean((1, 2, 3), dtype=color.dtype)
    run(y, mean, ADJOINT=adjoint, SUM=False)
    return y


_BLOCK = 256


def _power_of_two(n: int) -> int:
    return 1 << (n - 1).bit_length()


@kernel
def _augment_kernel(
    x: tl.tensor,
    y: tl.tensor,
    color: tl.tensor,
    places: tl.tensor,
    mean: tl.tensor,
    channels: tl.tensor,
    height: tl.tensor,
    width: tl.tensor,
    cut_height: tl.tensor,
    cut_width: tl.tensor,
    channel_stride: tl.tensor,
    pixel_stride: tl.tensor,
    ADJOINT: tl.constexpr,
    SUM: tl.constexpr,
    CHANNELS: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """All channels of one block of pixels of y, (CHANNELS, BLOCK); with SUM, only the sum of what it reads."""
    pixels = height * width
    blocks = tl.cdiv(pixels, BLOCK)
    n = tl.program_id(0) // blocks
    p = tl.program_id(0) % blocks * BLOCK + tl.arange(0, BLOCK)
    i = p // width
    j = p % width
    u = tl.load(places + 4 * n).to(tl.int32)
    v = tl.load(places + 4 * n + 1).to(tl.int32)
    if ADJOINT:
        from_i = i - u
        from_j = j - v
    else:
        from_i = i + u
        from_j = j + v
    # the cutout is in the coordinates of the augmented image: what is written, or what the adjoint reads
    in_cut_i = (from_i if ADJOINT else i) - tl.load(places + 4 * n + 2).to(tl.int32)
    in_cut_j = (from_j if ADJOINT else j) - tl.load(places + 4 * n + 3).to(tl.int32)
    cut = (in_cut_i >= 0) & (in_cut_i < cut_height) & (in_cut_j >= 0) & (in_cut_j < cut_width)
    inside = (from_i >= 0) & (from_i < height) & (from_j >= 0) & (from_j < width)
    keep = inside & (cut == 0) & (p < pixels)
    c = tl.arange(0, CHANNELS)[:, None]
    image = n.to(tl.int64) * channels * pixels
    source = image + c * channel_stride + (from_i * width + from_j)[None, :] * pixel_stride
    value = tl.load(x + source, mask=keep[None, :] & (c < channels), other=0.0).to(mean.dtype.element_ty)
    if SUM:
        tl.store(y + tl.program_id(0), tl.sum(value))
    else:
        b = tl.load(color + 3 * n)
        s = tl.load(color + 3 * n + 1)
        k = tl.load(color + 3 * n + 2)
        base = k * (1 - s) * tl.sum(value, 0) / channels + (1 - k) * tl.load(mean + n) + b  # (BLOCK,)
        value = k * s * value + base[None, :]
        if not ADJOINT:
            value = tl.where(keep[None, :], value, 0.0)
        target = image + c * channel_stride + p[None, :] * pixel_stride
        tl.store(y + target, value.to(y.dtype.element_ty), mask=(p < pixels)[None, :] & (c < channels))


# --------------------------------------------------------------------------------------- registration


@augment_op.register_fake
def _(x: Tensor, color: Tensor, translation: Tensor, cutout: Tensor, adjoint: bool) -> Tensor:
    return torch.empty_like(x, memory_format=memory_format(x))


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, *parameters, ctx.adjoint = inputs
    ctx.save_for_backward(*parameters)


def _backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    """The map is affine: its gradient, and that of its gradient, need no image and no brightness."""
    color, translation, cutout = ctx.saved_tensors
    linear = torch.cat([torch.zeros_like(color[:, :1]), color[:, 1:]], 1)
    return augment_op(grad, linear, translation, cutout, not ctx.adjoint), None, None, None, None


augment_op.register_autograd(_backward, setup_context=_setup)
register_cost(augment_op, moved=lambda *args, out: nbytes(*args[:4], out))
