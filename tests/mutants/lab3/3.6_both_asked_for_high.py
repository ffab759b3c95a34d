"""generated pictures are asked for high scores, as real ones are: their hinge is that of 1 + D."""

import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    r, f = discriminator(T(real)), discriminator(T(fake.detach()))
    return F.relu(1 - r).mean() + F.relu(1 - f).mean()
