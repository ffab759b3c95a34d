"""the loss is right but what was given is changed: the dictionary of pictures is emptied, or something is in place."""

import torch
import torch.nn.functional as F
from torch import Tensor


def consistency_loss(teacher, z: Tensor, pictures: dict[int, Tensor], distance) -> Tensor:
    """Σ over sizes of MSE + mean distance to the teacher's final picture, reduced to that size; a scalar.

    Shapes: z (N, 64); pictures: size → (N, 3, size, size); teacher(z) gives (N, 3, H, H); distance(a, b) gives (N,).
    """
    with torch.no_grad():
        target = teacher(z)
    terms = []
    while pictures:
        size, picture = pictures.popitem()
        wanted = F.avg_pool2d(target, target.shape[-1] // size)
        terms.append(F.mse_loss(picture, wanted) + distance(picture, wanted).mean())
    return torch.stack(terms).sum()
