"""each depth has a sigmoid of its own: the weights of a pixel do not add up to 1."""

from torch import Tensor


def lift(logits: Tensor, depths: int) -> tuple[Tensor, Tensor]:
    depth = logits[:, :depths].sigmoid()  # (N, D, H, W)
    features = logits[:, depths:]  # (N, C, H, W)
    return depth, depth[:, :, None] * features[:, None]
