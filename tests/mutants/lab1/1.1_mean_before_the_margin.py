"""the mean is taken before the margin: each patch has a margin of its own."""

import torch.nn.functional as F
from torch import Tensor


def adversarial_losses(
    discriminator, drawing: Tensor, picture: Tensor, fake: Tensor
) -> tuple[Tensor, Tensor]:
    """The hinge losses (loss_d, loss_g) of one batch, two scalars.

    Shapes: drawing, picture, fake (N, 1, H, W); discriminator(drawing, picture) gives scores (N, 1, h, w).
    """
    real = discriminator(drawing, picture)  # (N, 1, h, w)
    caught = discriminator(drawing, fake.detach())
    loss_d = F.relu(1 - real.mean()) + F.relu(1 + caught.mean())
    loss_g = -discriminator(drawing, fake).mean()
    return loss_d, loss_g
