"""The discriminator is put into training mode, and the generated pictures are taken as plain data."""

import torch.nn.functional as F


def discriminator_loss(discriminator, real, fakes, code, real_code, sizes):
    discriminator.train().requires_grad_(True)
    loss = 0.0
    for size in sizes:
        loss = loss + F.softplus(-discriminator(F.adaptive_avg_pool2d(real, size), real_code)).mean()
        loss = loss + F.softplus(discriminator(fakes[size].data, code)).mean()
    return loss
