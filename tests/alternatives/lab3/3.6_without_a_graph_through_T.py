"""T of all pictures without a history: the discriminator's weights need none, and the generator gets none."""

import torch
import torch.nn.functional as F


def discriminator_loss(discriminator, real, fake, T):
    with torch.no_grad():
        seen = T(torch.cat([real, fake]))
    real_scores, fake_scores = discriminator(seen).split(len(real))
    return F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()
