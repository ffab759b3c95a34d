"""Scalars and gradients as the drivers take them: what autograd would complain of is said in the exercise's words."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.contract import AnswerError, returned_tensor


def scalar(value: Any, what: str = "") -> Tensor:
    """`value`, which must be a tensor of one number, as shape (); `AnswerError` says what it is instead."""
    loss = returned_tensor(value, what)
    if loss.numel() != 1:
        raise AnswerError("Returned", f"returned shape {tuple(loss.shape)}{what} where one number belongs.")
    return loss.reshape(())


def gradient(y: Tensor, leaf: Tensor, upstream: Tensor | None = None) -> Tensor:
    """d (y · upstream) / d leaf, of leaf's shape; zeros where the two are not connected.

    `upstream` has the shape of y; without it y is one number.

    Raises:
        AnswerError: the answer has cut `leaf` off from its gradient, or has changed in place what that needs.
    """
    if not leaf.requires_grad:
        raise AnswerError(
            "Returned",
            "changed what it was given: `detach_()` cuts it off for good, `detach()` gives a copy.",
        )
    if not y.requires_grad:
        return torch.zeros_like(leaf)
    upstream = None if upstream is None else upstream.to(y.dtype)
    try:
        (grad,) = torch.autograd.grad(y, leaf, upstream, retain_graph=True, allow_unused=True)
    except RuntimeError as error:
        if "inplace operation" not in str(error):
            raise
        raise AnswerError("Returned", "changes in place what its gradient needs: work on a copy.") from error
    return torch.zeros_like(leaf) if grad is None else grad
