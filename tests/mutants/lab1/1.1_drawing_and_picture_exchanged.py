"""the discriminator is given picture and drawing the other way round."""

import torch.nn.functional as F
from torch import Tensor


def adversarial_losses(
    discriminator, drawing: Tensor, picture: Tensor, fake: Tensor
) -> tuple[Tensor, Tensor]:
    """The hinge losses (loss_d, loss_g) of one batch, two scalars.

    Shapes: drawing, picture, fake (N, 1, H, W); discriminator(picture, drawing) gives scores (N, 1, h, w).
    """
    real = discriminator(picture, drawing)  # (N, 1, h, w)
    caught = discriminator(fake.detach(), drawing)
    loss_d = F.relu(1 - real).mean() + F.relu(1 + caught).mean()
    loss_g = -discriminator(fake, drawing).mean()
    return loss_d, loss_g
