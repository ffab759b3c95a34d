"""these are percent: a share is a number from 0 to 1."""

import torch


@torch.no_grad()
def overfitting(discriminator, train, held_out, fake):
    was = discriminator.training
    discriminator.eval()
    a, b, c = (100 * (discriminator(x) > 0).float().mean().item() for x in (train, held_out, fake))
    discriminator.train(was)
    return {"train": a, "held_out": b, "fake": c, "gap": a - b}
