"""a gap below 0 is cut off: it keeps its sign."""

import torch


@torch.no_grad()
def overfitting(discriminator, train, held_out, fake):
    was = discriminator.training
    discriminator.eval()
    a, b, c = ((discriminator(x) > 0).float().mean().item() for x in (train, held_out, fake))
    discriminator.train(was)
    return {"train": a, "held_out": b, "fake": c, "gap": max(0.0, a - b)}
