"""features are taken from the first channels; the first D are the depths."""

from torch import Tensor


def lift(logits: Tensor, depths: int) -> tuple[Tensor, Tensor]:
    depth = logits[:, -depths:].softmax(1)  # (N, D, H, W)
    features = logits[:, :-depths]  # (N, C, H, W)
    return depth, depth[:, :, None] * features[:, None]
