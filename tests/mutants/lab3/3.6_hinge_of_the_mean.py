"""the hinge is taken of the mean score: take it for each picture, then the mean."""

import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    r, f = discriminator(T(real)), discriminator(T(fake.detach()))
    return F.relu(1 - r.mean()) + F.relu(1 + f.mean())
