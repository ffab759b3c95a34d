"""the discriminator is left frozen: it cannot learn in its next step."""

import torch.nn.functional as F


def adversarial_losses(discriminator, drawing, picture, fake):
    real = discriminator(drawing, picture)
    caught = discriminator(drawing, fake.detach())
    for p in discriminator.parameters():
        p.requires_grad_(False)
    believed = discriminator(drawing, fake)
    loss_d = F.relu(1 - real).mean() + F.relu(1 + caught).mean()
    return loss_d, -believed.mean()
