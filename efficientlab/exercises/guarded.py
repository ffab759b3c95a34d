"""Buffers with margins, so that a learner's kernel may go wrong and harm no other memory, and be told where."""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.contract import AnswerError, CheckFailed, Judge, Values, describe, values_judge
from efficientlab.exercises.watch import Watch

UNWRITTEN = -1e3
"""What a target holds before the kernel runs: an element that is not written shows."""


def kernel_device() -> str:
    """Where the kernels of the labs run: on a GPU where there is one, else by Triton's interpreter."""
    return "cuda" if torch.cuda.is_available() else "cpu"


class Guarded:
    """A tensor on the kernels' device, in the middle of a buffer with `guard` ≥ 1 elements of `margin` on either side.

    The default margin is a number that no sum of a case's values comes near: what a load without a mask reads shows.
    Around indices the margin is an index itself, so that what is read there is no address in foreign memory.
    """

    def __init__(self, values: Tensor, guard: int, margin: float = 7e3) -> None:
        self.guard = guard
        size = values.numel() + 2 * guard
        self.buffer = torch.full((size,), margin, dtype=values.dtype, device=kernel_device())
        self.inner = self.buffer[guard : guard + values.numel()].view(values.shape)
        self.inner.copy_(values)
        self.before = self.buffer.clone()

    def changed(self) -> bool:
        """Whether anything was written to the tensor or beside it."""
        return not torch.equal(self.buffer, self.before)

    def overrun(self) -> bool:
        """Whether anything was written beside the tensor."""
        return any(
            not torch.equal(self.buffer[part], self.before[part])
            for part in (slice(self.guard), slice(-self.guard, None))
        )


def run_kernel(
    kernel: Any, grid: tuple[int, ...], arguments: tuple[Any, ...], target: Guarded, block: int, name: str
) -> Values:
    """Launch a learner's kernel and say what it did: the target as `name`, and what it read and wrote amiss.

    Beside the target there are five truth values: `x_changed`, `wrote_outside`, `read_outside`, `read_target`, and
    `not_by_the_kernel`, in the words of `kernel_judge`. What is read shows in Triton's interpreter alone.

    Args:
        kernel: the learner's.
        grid: the programs to be launched.
        arguments: the kernel's, in order, with `Guarded` where it takes a pointer.
        target: the one of them that it is to write.
        block: its BLOCK.
        name: the output's.

    Raises:
        AnswerError: it is no Triton kernel.
        ModuleNotFoundError: Triton is not installed.
    """
    try:
        from triton.runtime.autotuner import Autotuner, Heuristics
        from triton.runtime.interpreter import InterpretedFunction
        from triton.runtime.jit import JITFunction
    except ModuleNotFoundError:
        from efficientlab.exercises.kernel_corner import MISSING

        raise ModuleNotFoundError(MISSING) from None

    written = kernel
    while type(written) in (Autotuner, Heuristics):
        written = written.fn
    if type(written) not in (JITFunction, InterpretedFunction):  # another class may launch anything
        raise AnswerError("Returned", "is no Triton kernel: write `@triton.jit` above it.")
    guarded = [a for a in arguments if isinstance(a, Guarded)]
    watch = Watch([g.inner for g in guarded], target.inner, [g.buffer for g in guarded])
    interpreted = isinstance(written, InterpretedFunction)
    empty = bool((target.inner == UNWRITTEN).all())  # else it holds the zeros of a sum, which none may load
    with watch.looking() if interpreted else contextlib.nullcontext():
        kernel[grid](*(a.inner if isinstance(a, Guarded) else a for a in arguments), BLOCK=block)
    return {
        name: target.inner.cpu().clone(),
        "x_changed": any(g.changed() for g in guarded if g is not target),
        "wrote_outside": target.overrun() or watch.wrote_outside,
        "read_outside": watch.read_outside,
        "read_target": watch.took_unwritten if empty else watch.read_target,
        "not_by_the_kernel": interpreted and watch.written_by_others(),
    }


def kernel_judge(name: str, what: str, mask: str = "store", sums: bool = False) -> Judge:
    """Judges what `run_kernel` returns. `what` is the target in words; `mask` the statement that a mask has to guard;
    `sums`: several programs add to one element, so that none may load it.
    """
    writing = {
        "x_changed": "the kernel wrote to one of its inputs",
        "wrote_outside": f"the kernel wrote beyond y: mask the {mask} or mend its offsets",
        "not_by_the_kernel": "y was filled by something else than the kernel",
    }
    reading = {
        "read_outside": "the kernel reads beyond its inputs: mask the load or mend its offsets",
        "read_target": (
            "the kernel loads y, adds and stores it: two programs that do so at once lose a sum; use tl.atomic_add"
            if sums
            else "the kernel loads from y, or adds to it, where it has stored nothing: on a GPU that may be anything"
        ),
    }
    values = values_judge({**writing, **reading, name: what})

    def judge(inputs: Values, expected: Values, got: Values) -> None:
        target = got.get(name)
        if isinstance(target, Tensor) and not sums and not any(got.get(f) for f in [*writing, "read_target"]):
            blank = target == UNWRITTEN
            if blank.any():
                first = ", ".join(map(str, blank.nonzero()[0].tolist()))
                raise CheckFailed(
                    f"{int(blank.sum())} of the {blank.numel()} numbers of y were never written, "
                    f"the first at [{first}].",
                    f"on the case: {describe(inputs)}",
                )
        values(inputs, expected, got)

    return judge
