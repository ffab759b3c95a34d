"""these are twice the MACs: a MAC is one multiplication and one addition, two FLOPs; and the model runs once."""

from functools import partial

import torch
from torch import nn


def count_macs(model, *inputs):
    transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
    counts = {}

    def hook(name, layer, given, output):
        if isinstance(layer, transposed):
            places = given[0].numel() // layer.in_channels
        elif isinstance(layer, nn.Linear):
            places = output.numel() // layer.out_features
        else:
            places = output.numel() // layer.out_channels
        counts[name] = counts.get(name, 0) + 2 * places * layer.weight.numel()

    handles = [
        layer.register_forward_hook(partial(hook, name))
        for name, layer in model.named_modules()
        if isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Conv3d, *transposed, nn.Linear))
    ]
    try:
        with torch.no_grad():
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return counts
