"""`detach_()` cuts the caller's pictures off from the generator for good: `detach()` gives a copy."""

import torch
import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    a, b = discriminator(T(torch.cat([real, fake.detach_()]))).chunk(2)
    return F.relu(1 - a).mean() + F.relu(1 + b).mean()
