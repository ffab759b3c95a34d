"""the discriminator is put into evaluation mode and left there: it is in training."""

import torch
import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    a, b = discriminator.eval()(T(torch.cat([real, fake.detach()]))).chunk(2)
    return F.relu(1 - a).mean() + F.relu(1 + b).mean()
