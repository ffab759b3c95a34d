"""the teacher is asked about the student's picture and not about the drawing."""

import torch
from torch import Tensor


def reconstruction_loss(fake: Tensor, drawing: Tensor, picture: Tensor | None, teacher) -> Tensor:
    """Mean absolute difference of `fake` to the true picture or, if there is none, to the teacher's.

    Shapes: fake, drawing, picture (N, 1, H, W); teacher(fake) gives (N, 1, H, W); returns a scalar.
    """
    if picture is None:
        with torch.no_grad():
            picture = teacher(fake)
    return (fake - picture).abs().mean()
