"""the margin is 0: a real picture counts until its score is 1, a generated one until it is −1."""

import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    r, f = discriminator(T(real)), discriminator(T(fake.detach()))
    return F.relu(-r).mean() + F.relu(f).mean()
