"""clamp in place of relu, one call for both pictures."""

import torch


def adversarial_losses(discriminator, drawing, picture, fake):
    both = discriminator(torch.cat([drawing, drawing]), torch.cat([picture, fake.detach()]))
    real, made_up = both.chunk(2)
    loss_d = torch.mean((1 - real).clamp(min=0)) + torch.mean((1 + made_up).clamp(min=0))
    return loss_d, discriminator(drawing, fake).mean().neg()
