"""real and generated pictures are exchanged: the loss asks for high scores of generated ones."""

import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    r, f = discriminator(T(real)), discriminator(T(fake.detach()))
    return F.relu(1 + r).mean() + F.relu(1 - f).mean()
