"""the losses of the pictures are summed: take the mean of each half."""

import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    r, f = discriminator(T(real)), discriminator(T(fake.detach()))
    return F.relu(1 - r).sum() + F.relu(1 + f).sum()
