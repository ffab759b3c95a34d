"""By the logarithm of the sigmoid, reals first."""

import torch.nn.functional as F


def discriminator_loss(discriminator, real, fakes, code, real_code, sizes):
    loss = 0
    for size in sizes:
        small = F.adaptive_avg_pool2d(real, size)
        loss = loss - F.logsigmoid(discriminator(small, real_code)).mean()
    for size in sizes:
        loss = loss - F.logsigmoid(-discriminator(fakes[size].detach(), code)).mean()
    return loss
