"""the features are shared out evenly over the depths."""

import torch
from torch import Tensor


def lift(logits: Tensor, depths: int) -> tuple[Tensor, Tensor]:
    depth = logits[:, :depths].softmax(1)  # (N, D, H, W)
    features = logits[:, depths:]  # (N, C, H, W)
    return depth, torch.ones_like(depth)[:, :, None] / depths * features[:, None]
