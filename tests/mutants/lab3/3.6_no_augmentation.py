"""T is never used."""

import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    r, f = discriminator(real), discriminator(fake.detach())
    return F.relu(1 - r).mean() + F.relu(1 + f).mean()
