"""the loss is that of the original GAN, a logarithm of a probability: here it is minus the mean score."""

import torch.nn.functional as F


def generator_loss(discriminator, fake, T):
    return F.softplus(-discriminator(T(fake))).mean()
