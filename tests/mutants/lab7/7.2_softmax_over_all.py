"""the softmax runs over depths and channels together: features take weight from the depths."""

from torch import Tensor


def lift(logits: Tensor, depths: int) -> tuple[Tensor, Tensor]:
    depth = logits.softmax(1)[:, :depths]  # (N, D, H, W)
    features = logits[:, depths:]  # (N, C, H, W)
    return depth, depth[:, :, None] * features[:, None]
