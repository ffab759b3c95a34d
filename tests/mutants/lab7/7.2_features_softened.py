"""the features go through a softmax, too."""

from torch import Tensor


def lift(logits: Tensor, depths: int) -> tuple[Tensor, Tensor]:
    depth = logits[:, :depths].softmax(1)  # (N, D, H, W)
    features = logits[:, depths:].softmax(1)  # (N, C, H, W)
    return depth, depth[:, :, None] * features[:, None]
