"""both the plain and the augmented pictures are judged: only the augmented ones are."""

import torch


def generator_loss(discriminator, fake, T):
    return -discriminator(torch.cat([fake, T(fake)])).mean()
