"""the teacher is asked although there is a true picture, and its answer is thrown away."""

import torch
from torch import Tensor


def reconstruction_loss(fake: Tensor, drawing: Tensor, picture: Tensor | None, teacher) -> Tensor:
    """Mean absolute difference of `fake` to the true picture or, if there is none, to the teacher's.

    Shapes: fake, drawing, picture (N, 1, H, W); teacher(drawing) gives (N, 1, H, W); returns a scalar.
    """
    with torch.no_grad():
        answer = teacher(drawing)
    picture = answer if picture is None else picture
    return (fake - picture).abs().mean()
