"""What the kernels share: who computes (PyTorch or Triton), Triton kernels that load lazily, and costs.

A Triton kernel is written as a plain function in the file of its op and marked `@kernel`. Triton itself is
imported when the kernel is first launched, so the package works where Triton does not exist. Triton's
compiler reads the annotations of a kernel: its arguments are `tl.tensor` or `tl.constexpr`, nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from operator import index
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from efficientlab.kernels.flops import register_flops

BACKEND = "EFFICIENTLAB_KERNELS"
"""Environment variable that overrides the choice of `use_triton`: torch or triton."""

BYTES: dict[torch._ops.OpOverloadPacket, Callable[..., int]] = {}
"""For each op: bytes that it must move, given its arguments and its result as `out`.

Every operand is read once and every result written once: the bound of a kernel limited by memory.
"""


def use_triton(x: Tensor) -> bool:
    """Whether an op on x runs its Triton kernel: on CUDA where Triton is installed, else PyTorch.

    EFFICIENTLAB_KERNELS=torch or =triton overrides this. CPU tensors reach a Triton kernel only in Triton's
    interpreter (TRITON_INTERPRET=1).
    """
    choice = os.environ.get(BACKEND, "")
    if choice not in {"", "torch", "triton"}:
        raise ValueError(f"{BACKEND} must be torch, triton or unset, got {choice!r}")
    if choice == "triton" and not x.is_cuda and os.environ.get("TRITON_INTERPRET") != "1":
        raise RuntimeError(f"{BACKEND}=triton on a {x.device.type} tensor needs TRITON_INTERPRET=1 as well")
    if choice:
        return choice == "triton"
    return x.is_cuda and find_spec("triton") is not None


class Kernel:
    """A Triton kernel whose `triton.jit` is put off until its first launch: `kernel[grid](…)`."""

    def __init__(self, fn: Callable[..., None]) -> None:
        self.fn = fn
        self.__doc__ = fn.__doc__

    @cached_property
    def jit(self) -> Any:
        import triton
        import triton.language as tl

        self.fn.__globals__["tl"] = tl  # Triton looks the names of a kernel up in its module
        return triton.jit(self.fn)

    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., None]:
        def launch(*args: Any, **options: Any) -> None:
            operand = next(x for x in args if isinstance(x, Tensor))
            with torch.cuda.device_of(operand):  # Triton launches on the current device, whichever that is
                self.jit[grid](*args, **options)

        return launch


kernel = Kernel


def register_cost(
    op: Any, *, moved: Callable[..., int], macs: Callable[..., int] = lambda *args, **kwargs: 0
) -> None:
    """Tell FlopCounterMode and the counters what an op costs.

    Args:
        op: what `torch.library.custom_op` returned.
        moved: its bytes (see BYTES), from the op's arguments and its result as `out`.
        macs: its multiply-accumulates, from the same; 1 MAC = 2 FLOPs. None where nothing is multiplied.
    """
    packet = op._opoverload.overloadpacket

    def flops(*args: Any, out_val: Any = None, **kwargs: Any) -> int:
        return 2 * macs(*args, out=out_val, **kwargs)

    register_flops(packet, flops)
    BYTES[packet] = moved


def whole(name: str, value: Any) -> int:
    """value as an int, from any type of whole numbers.

    Raises:
        TypeError: it is not a whole number by its type, as 3.0 and True are not.
    """
    if isinstance(value, torch.SymInt):
        return value  # type: ignore[return-value]
    try:
        if not isinstance(value, bool):
            return index(value)
    except TypeError:
        pass
    raise TypeError(f"{name} must be a whole number, got {value!r}")


def check_numbers(name: str, x: Tensor) -> None:
    """
    Raises:
        TypeError: x holds neither reals nor integers that torch calculates with.
    """
    if not x.is_floating_point() and x.dtype not in INTEGERS:
        raise TypeError(f"{name} must be real numbers, got {x.dtype}")


INTEGERS = {torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64}


def autocast(*tensors: Any) -> list[Any]:
    """Operands in autocast's dtype where it is on; as in torch's own products, float64 and integers stay."""
    device = tensors[0].device.type
    if not torch.amp.is_autocast_available(device) or not torch.is_autocast_enabled(device):
        return list(tensors)
    dtype = torch.get_autocast_dtype(device)
    return [x.to(dtype) if x is not None and x.dtype in _CAST else x for x in tensors]


_CAST = {torch.float32, torch.float16, torch.bfloat16}


def refuse_transforms(*tensors: Tensor | None) -> None:
    """A custom op drops the tangents of forward-mode differentiation, which would come out as zeros, and has a gradient
    for the backward pass, but not for `torch.func.grad`.

    Raises:
        NotImplementedError: a tensor has a tangent, as inside of `torch.func.jvp`, or torch.func differentiates by it.
    """
    if torch.compiler.is_compiling():
        return
    if any(x is not None and forward_ad.unpack_dual(x).tangent is not None for x in tensors):
        raise NotImplementedError("the kernels have no forward-mode gradient; use the backward pass")
    if torch._C._functorch.peek_interpreter_stack() is not None and any(map(_tracked, tensors)):
        raise NotImplementedError(
            "the kernels have no gradient for torch.func; use the backward pass, or torch.autograd.grad"
        )


def _tracked(x: Tensor | None) -> bool:
    """Whether torch.func.grad, vjp or jacrev differentiates by x, also through torch.vmap."""
    functorch = torch._C._functorch
    while x is not None and functorch.is_batchedtensor(x):
        x = functorch.get_unwrapped(x)
    return x is not None and functorch.is_gradtrackingtensor(x)


def flat_nonzero(mask: Tensor) -> Tensor:
    """(E,) int64: where a mask (P,) is true. NumPy is several times faster at it."""
    return mask.nonzero()[:, 0] if mask.is_cuda else torch.from_numpy(np.flatnonzero(mask.numpy()))


def nbytes(*tensors: Tensor | None) -> int:
    return sum(t.numel() * t.element_size() for t in tensors if t is not None)


def memory_format(x: Tensor) -> torch.memory_format:
    """The format in which an op on images x (N, C, H, W) works and answers; ambiguous x is contiguous."""
    channels_last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    return torch.channels_last if channels_last else torch.contiguous_format
