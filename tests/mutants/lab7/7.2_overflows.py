"""the softmax is written out and its exponentials overflow: subtract the largest logit first, or call `softmax`."""

from torch import Tensor


def lift(logits: Tensor, depths: int) -> tuple[Tensor, Tensor]:
    """Weights of the depths and the lifted features.

    Shapes: logits (N, D + C, H, W) with D = depths; returns (N, D, H, W) and (N, D, C, H, W).
    """
    grown = logits[:, :depths].exp()
    depth = grown / grown.sum(1, keepdim=True)  # (N, D, H, W)
    features = logits[:, depths:]  # (N, C, H, W)
    return depth, depth[:, :, None] * features[:, None]
