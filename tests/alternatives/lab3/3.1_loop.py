"""One set after the other, with a context for no_grad."""

import torch


def overfitting(discriminator, train, held_out, fake):
    mode = discriminator.training
    discriminator.train(False)
    told = {}
    with torch.no_grad():
        for name, x in zip(("train", "held_out", "fake"), (train, held_out, fake), strict=True):
            accepted = discriminator(x).gt(0).sum().item()
            told[name] = accepted / x.shape[0]
    discriminator.train(mode)
    told["gap"] = told["train"] - told["held_out"]
    return told
