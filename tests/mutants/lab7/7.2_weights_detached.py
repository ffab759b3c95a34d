"""the weights that are returned are detached: a loss of depths could not train them."""

from torch import Tensor


def lift(logits: Tensor, depths: int) -> tuple[Tensor, Tensor]:
    """Weights of the depths and the lifted features.

    Shapes: logits (N, D + C, H, W) with D = depths; returns (N, D, H, W) and (N, D, C, H, W).
    """
    depth = logits[:, :depths].softmax(1)  # (N, D, H, W)
    features = logits[:, depths:]  # (N, C, H, W)
    return depth.detach(), depth[:, :, None] * features[:, None]
