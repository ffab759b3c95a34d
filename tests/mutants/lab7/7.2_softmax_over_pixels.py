"""the softmax runs over the pixels of a picture; it belongs to the depths of one pixel."""

from torch import Tensor


def lift(logits: Tensor, depths: int) -> tuple[Tensor, Tensor]:
    depth = logits[:, :depths].flatten(2).softmax(2).view_as(logits[:, :depths])  # (N, D, H, W)
    features = logits[:, depths:]  # (N, C, H, W)
    return depth, depth[:, :, None] * features[:, None]
