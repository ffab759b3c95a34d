"""a gradient reaches the generator in the discriminator's step: detach the generated pictures."""

import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    r, f = discriminator(T(real)), discriminator(T(fake))
    return F.relu(1 - r).mean() + F.relu(1 + f).mean()
