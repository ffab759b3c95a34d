"""the discriminator is asked in training mode: dropout and batch norm then change its answers."""

import torch


@torch.no_grad()
def overfitting(discriminator, train, held_out, fake):
    was = discriminator.training
    discriminator.train()
    a, b, c = ((discriminator(x) > 0).float().mean().item() for x in (train, held_out, fake))
    discriminator.train(was)
    return {"train": a, "held_out": b, "fake": c, "gap": a - b}
