"""the discriminator is put into evaluation mode and left there: it is in training."""

import torch.nn.functional as F


def adversarial_losses(discriminator, drawing, picture, fake):
    real = discriminator.eval()(drawing, picture)
    caught = discriminator(drawing, fake.detach())
    believed = discriminator(drawing, fake)
    loss_d = F.relu(1 - real).mean() + F.relu(1 + caught).mean()
    return loss_d, -believed.mean()
