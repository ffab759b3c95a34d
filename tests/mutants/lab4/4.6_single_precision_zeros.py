"""the zeros before the first frame have the default dtype: make them like x."""

import torch
from torch import Tensor, nn


class OnlineShift(nn.Module):
    """The causal shift for a stream: keeps the first C // fold_div channels of the frame before.

    Shapes: (N, C, H, W) → (N, C, H, W), one frame a call.
    """

    def __init__(self, fold_div: int = 8) -> None:
        super().__init__()
        self.fold_div = fold_div
        self.reset()

    def reset(self) -> None:
        """Start a new stream: the past is zero."""
        self.cache = None

    def forward(self, x: Tensor) -> Tensor:
        fold = x.shape[1] // self.fold_div
        past = torch.zeros(x[:, :fold].shape, device=x.device) if self.cache is None else self.cache
        self.cache = x[:, :fold].clone()  # a copy: the caller may reuse x's memory
        return torch.cat([past, x[:, fold:]], 1)
