"""the loss is right but what was given is changed: the list of previews is emptied or holds something else, or something is in place."""

import torch
import torch.nn.functional as F
from torch import Tensor


def projection_loss(full: Tensor, previews: list[Tensor], target: Tensor, weight: float, distance) -> Tensor:
    """How far a code's pictures are from a target: of the full generator, plus weight · the mean over previews.

    Shapes: full, target (N, 3, H, H); previews (N, 3, size, size) each; distance(a, b) gives (N,). Returns a scalar.
    """

    def far(picture):
        wanted = F.avg_pool2d(target, target.shape[-1] // picture.shape[-1])
        return F.mse_loss(picture, wanted) + distance(picture, wanted).mean()

    loss = far(full)
    if previews:
        for number, picture in enumerate(previews):
            previews[number] = far(picture)
        loss = loss + weight * torch.stack(previews).mean()
    return loss
