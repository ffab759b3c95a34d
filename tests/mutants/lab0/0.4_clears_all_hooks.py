"""all hooks are cleared, also those that somebody else had hung up: remove your own by their handles."""

from functools import partial

import torch
from torch import Tensor, nn


def count_macs(model: nn.Module, *inputs: Tensor) -> dict[str, int]:
    """MACs of each convolution and linear layer that runs in `model(*inputs)`, by its name, for the whole batch."""
    ordinary = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
    counts: dict[str, int] = {}

    def hook(name, layer, given, output):
        if isinstance(layer, transposed):
            places = given[0].numel() // layer.in_channels
        elif isinstance(layer, ordinary):
            places = output.numel() // layer.out_channels
        else:
            places = output.numel() // layer.out_features
        counts[name] = counts.get(name, 0) + places * layer.weight.numel()

    handles = [
        layer.register_forward_hook(partial(hook, name))
        for name, layer in model.named_modules()
        if isinstance(layer, (*ordinary, *transposed, nn.Linear))
    ]
    try:
        with torch.no_grad():
            model(*inputs)
    finally:
        for module in model.modules():
            module._forward_hooks.clear()
    return counts
