"""the weights are logarithms of probabilities."""

from torch import Tensor


def lift(logits: Tensor, depths: int) -> tuple[Tensor, Tensor]:
    depth = logits[:, :depths].log_softmax(1)  # (N, D, H, W)
    features = logits[:, depths:]  # (N, C, H, W)
    return depth, depth[:, :, None] * features[:, None]
