"""only the generated pictures are augmented: the discriminator then tells T's traces from their absence."""

import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    r, f = discriminator(real), discriminator(T(fake.detach()))
    return F.relu(1 - r).mean() + F.relu(1 + f).mean()
