"""T's pictures are clamped to −1 … 1: what brightness pushes beyond loses its gradient."""

from torch import Tensor, nn


def generator_loss(discriminator: nn.Module, fake: Tensor, T) -> Tensor:
    """The hinge loss of G's step; its gradient goes through D and through T to the generated pictures.

    Shapes: fake (N, C, H, W); T maps pictures to pictures of the same shape; D maps them to scores (N,).
    """
    scores = discriminator(T(fake).clamp(-1, 1))  # (N,)
    return -scores.mean()
