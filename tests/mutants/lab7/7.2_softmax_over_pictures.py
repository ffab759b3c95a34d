"""the softmax runs over the pictures of the batch."""

from torch import Tensor


def lift(logits: Tensor, depths: int) -> tuple[Tensor, Tensor]:
    depth = logits[:, :depths].softmax(0)  # (N, D, H, W)
    features = logits[:, depths:]  # (N, C, H, W)
    return depth, depth[:, :, None] * features[:, None]
