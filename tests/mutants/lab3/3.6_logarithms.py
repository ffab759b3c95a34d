"""the loss is that of the original GAN, logarithms of probabilities: here it is the hinge."""

import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    r, f = discriminator(T(real)), discriminator(T(fake.detach()))
    return F.softplus(-r).mean() + F.softplus(f).mean()
