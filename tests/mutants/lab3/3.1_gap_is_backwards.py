"""the gap is held-out minus training: it must be positive when the training pictures are known by heart."""

import torch


@torch.no_grad()
def overfitting(discriminator, train, held_out, fake):
    was = discriminator.training
    discriminator.eval()
    a, b, c = ((discriminator(x) > 0).float().mean().item() for x in (train, held_out, fake))
    discriminator.train(was)
    return {"train": a, "held_out": b, "fake": c, "gap": b - a}
