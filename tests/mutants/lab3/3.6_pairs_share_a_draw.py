"""a real and a fake picture are joined along the channels and share each draw: every picture is drawn for alone."""

import torch
import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    c = real.shape[1]
    both = T(torch.cat([real, fake.detach()], dim=1))
    real_scores, fake_scores = discriminator(both[:, :c]), discriminator(both[:, c:])
    return F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()
