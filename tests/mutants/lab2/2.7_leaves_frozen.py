"""the loss is right but the discriminator is left frozen: it is to learn from this loss."""

import torch
import torch.nn.functional as F
from torch import Tensor


def discriminator_loss(
    discriminator, real: Tensor, fakes: dict[int, Tensor], code, real_code, sizes
) -> Tensor:
    """The logistic loss of the discriminator, summed over the sizes that are judged; a scalar.

    Shapes: real (N, 3, H, H); fakes: size → (N, 3, size, size), made in one pass; discriminator(pictures, code) gives
    scores (N,). code and real_code are handed on as they are.
    """
    terms = []
    for size in sizes:
        genuine = discriminator(F.avg_pool2d(real, real.shape[-1] // size), real_code)  # (N,)
        made_up = discriminator(fakes[size].detach(), code)
        terms.append(F.softplus(-genuine).mean() + F.softplus(made_up).mean())
    discriminator.requires_grad_(False)
    return torch.stack(terms).sum()
