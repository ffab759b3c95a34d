"""the generator's loss has a hinge: only the discriminator's has, the generator's goes on for ever."""

import torch.nn.functional as F


def generator_loss(discriminator, fake, T):
    return F.relu(1 - discriminator(T(fake))).mean()
