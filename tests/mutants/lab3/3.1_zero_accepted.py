"""a score of exactly 0 counts as accepted: only a positive one does."""

import torch
from torch import Tensor, nn


@torch.no_grad()
def overfitting(discriminator: nn.Module, train: Tensor, held_out: Tensor, fake: Tensor) -> dict[str, float]:
    """Shares of pictures with a score above 0: "train", "held_out", "fake"; and "gap", train minus held_out.

    Shapes: pictures (n, C, H, W); discriminator maps them to scores (n,). It is asked in evaluation mode, and
    left in the mode that it came in. Returns Python numbers.
    """
    training = discriminator.training
    discriminator.eval()
    rates = {
        name: (discriminator(pictures) >= 0).float().mean().item()
        for name, pictures in (("train", train), ("held_out", held_out), ("fake", fake))
    }
    discriminator.train(training)
    return {**rates, "gap": rates["train"] - rates["held_out"]}
