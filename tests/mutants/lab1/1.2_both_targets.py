"""with pairs the difference to the teacher's picture is added; the true picture alone is the target."""

import torch
from torch import Tensor


def reconstruction_loss(fake: Tensor, drawing: Tensor, picture: Tensor | None, teacher) -> Tensor:
    """Mean absolute difference of `fake` to the true picture or, if there is none, to the teacher's.

    Shapes: fake, drawing, picture (N, 1, H, W); teacher(drawing) gives (N, 1, H, W); returns a scalar.
    """
    with torch.no_grad():
        target = teacher(drawing)
    loss = (fake - target).abs().mean()
    return loss if picture is None else loss + (fake - picture).abs().mean()
