"""the order is right but what was sorted is left frozen: it is trained further."""

import torch
from torch import Tensor


@torch.no_grad()
def sort_channels(const: Tensor, convs, paints, w: Tensor) -> None:
    """Sort the channels of a generator in place, the most important first; its full picture stays the same.

    Shapes: const (1, C, 4, 4); w (M, 64), codes to average styles over.
    """
    convs, paints = list(convs), list(paints)
    for number in range(len(convs) + 1):
        readers = convs[number : number + 1] + (paints[number - 1 : number] if number else [])
        importance = sum(
            layer.gain * layer.weight.abs().sum((0, 2, 3)) * layer.style(w).abs().mean(0) for layer in readers
        )
        order = importance.argsort(descending=True)
        for layer in readers:
            layer.requires_grad_(False)
            layer.weight.copy_(layer.weight[:, order])
            layer.style.weight.copy_(layer.style.weight[order])
            layer.style.bias.copy_(layer.style.bias[order])
        if number == 0:
            const.copy_(const[:, order])
        else:
            convs[number - 1].weight.copy_(convs[number - 1].weight[order])
            convs[number - 1].bias.copy_(convs[number - 1].bias[order])
