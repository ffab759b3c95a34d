"""the discriminator is left in evaluation mode, although it came in training mode."""

import torch


@torch.no_grad()
def overfitting(discriminator, train, held_out, fake):
    discriminator.eval()
    a, b, c = ((discriminator(x) > 0).float().mean().item() for x in (train, held_out, fake))
    return {"train": a, "held_out": b, "fake": c, "gap": a - b}
