"""Buffers with margins, so that a learner's kernel may go wrong and harm no other memory, and be told where."""

from __future__ import annotations

import torch
from torch import Tensor

from efficientlab.exercises.contract import Judge, Values, values_judge

UNWRITTEN = -1e3
"""What a target holds before the kernel runs: an element that is not written shows."""


def kernel_device() -> str:
    """Where the kernels of the labs run: on a GPU where there is one, else by Triton's interpreter."""
    return "cuda" if torch.cuda.is_available() else "cpu"


class Guarded:
    """A tensor on the kernels' device, in the middle of a buffer with `guard` elements of `margin` on either side.

    The default margin is a number that no sum of a case's values comes near: what a load without a mask reads shows.
    """

    def __init__(self, values: Tensor, guard: int, margin: float = 7e3) -> None:
        self.guard = guard
        self.buffer = torch.full((values.numel() + 2 * guard,), margin, device=kernel_device())
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


def kernel_result(name: str, source: Guarded, target: Guarded) -> Values:
    """What a kernel's check compares: the target, and whether the kernel wrote where it must not."""
    return {
        name: target.inner.cpu().clone(),
        "x_changed": source.changed(),
        "wrote_outside": target.overrun(),
    }


def kernel_judge(name: str, what: str, mask: str = "store") -> Judge:
    """Judges a `kernel_result`. `what` is the target in words; `mask` the statement that a mask has to guard."""
    return values_judge(
        {
            name: what,
            "x_changed": "the kernel wrote to its input",
            "wrote_outside": f"the kernel wrote beyond the end of y: mask the {mask}, too",
        }
    )
