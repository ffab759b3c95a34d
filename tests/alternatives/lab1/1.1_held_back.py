"""The discriminator's parameters take no gradient while the generator's loss is made, and take one again afterwards."""

import torch.nn.functional as F


def adversarial_losses(discriminator, drawing, picture, fake):
    real, caught = discriminator(drawing, picture), discriminator(drawing, fake.detach())
    loss_d = F.relu(1 - real).mean() + F.relu(1 + caught).mean()
    discriminator.requires_grad_(False)
    loss_g = -discriminator(drawing, fake).mean()
    discriminator.requires_grad_(True)
    return loss_d, loss_g
