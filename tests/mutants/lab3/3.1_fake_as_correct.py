"""of the generated pictures, the share with a negative score is given: report the share that is taken for real, as for the others."""

import torch


@torch.no_grad()
def overfitting(discriminator, train, held_out, fake):
    was = discriminator.training
    discriminator.eval()
    a, b, c = ((discriminator(x) > 0).float().mean().item() for x in (train, held_out, fake))
    c = 1 - c
    discriminator.train(was)
    return {"train": a, "held_out": b, "fake": c, "gap": a - b}
