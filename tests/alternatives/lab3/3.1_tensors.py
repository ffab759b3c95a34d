"""tensors of one number."""

import torch


def overfitting(discriminator, train, held_out, fake):
    mode = discriminator.training
    discriminator.eval()
    with torch.no_grad():
        rates = [(discriminator(x) > 0).double().mean() for x in (train, held_out, fake)]
    discriminator.train(mode)
    return {"train": rates[0], "held_out": rates[1], "fake": rates[2], "gap": rates[0] - rates[1]}
