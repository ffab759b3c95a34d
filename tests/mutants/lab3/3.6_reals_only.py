"""only the real pictures are augmented: the generator would learn to make augmented pictures."""

import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    r, f = discriminator(T(real)), discriminator(fake.detach())
    return F.relu(1 - r).mean() + F.relu(1 + f).mean()
