"""the loss is half of what it should be: it is the sum of two means, not the mean over both halves."""

import torch
import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    r, f = discriminator(T(torch.cat([real, fake.detach()]))).chunk(2)
    return torch.cat([F.relu(1 - r), F.relu(1 + f)]).mean()
