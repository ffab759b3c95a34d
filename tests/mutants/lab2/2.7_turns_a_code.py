"""the numbers of the reals' code are turned round: a code is handed on as it is."""

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
        genuine = discriminator(F.avg_pool2d(real, real.shape[-1] // size), real_code.flip(1))  # (N,)
        made_up = discriminator(fakes[size].detach(), code)
        terms.append(F.softplus(-genuine).mean() + F.softplus(made_up).mean())
    return torch.stack(terms).sum()
