"""all weight is given to the likeliest depth, and no gradient reaches the others."""

import torch
from torch import Tensor


def lift(logits: Tensor, depths: int) -> tuple[Tensor, Tensor]:
    depth = torch.zeros_like(logits[:, :depths]).scatter(
        1, logits[:, :depths].argmax(1, keepdim=True), 1.0
    )  # (N, D, H, W)
    features = logits[:, depths:]  # (N, C, H, W)
    return depth, depth[:, :, None] * features[:, None]
