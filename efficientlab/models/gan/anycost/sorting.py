"""Sort a generator's channels by importance, so that the first ones are worth keeping.

Lin et al., "Anycost GANs" (CVPR 2021), after once-for-all networks (Cai et al., ICLR 2020).
"""

from __future__ import annotations

import copy
from itertools import zip_longest
from typing import cast

import torch
from torch import Tensor

from efficientlab.models.gan.anycost.generator import AnycostGenerator, StyledConv


@torch.no_grad()
def importance(reader: StyledConv, w: Tensor) -> Tensor:
    """How much a layer reads of each input channel: Σ over its weights |weight| times the mean of |style|; (c_in,).

    Args:
        w: codes of many latents, (N, 64).
    """
    strength = (reader.weight * reader.gain).abs().sum((0, 2, 3))  # (c_in,)
    return strength * reader.style(w).abs().mean(0)


@torch.no_grad()
def sort_channels(generator: AnycostGenerator, latents: Tensor) -> AnycostGenerator:
    """A copy whose channels stand in the order of importance, layer by layer; its pictures are the same to rounding.

    A layer's channels are read by the next convolution and by the layer that paints; both are added up.

    Args:
        latents: z to average styles over, (N, 64).
    """
    net = copy.deepcopy(generator)
    w = net.mapping(latents)
    convs, paints = (cast("list[StyledConv]", list(layers)) for layers in (net.convs, net.paint))
    for number, (reader, painter) in enumerate(zip_longest(convs, [None, *paints])):
        readers = [layer for layer in (reader, painter) if layer is not None]
        order = torch.stack([importance(layer, w) for layer in readers]).sum(0).argsort(descending=True)
        for layer in readers:
            layer.weight.copy_(layer.weight[:, order])
            layer.style.weight.copy_(layer.style.weight[order])
            layer.style.bias.copy_(layer.style.bias[order])
        if number == 0:
            net.const.copy_(net.const[:, order])
        else:
            writer = convs[number - 1]
            writer.weight.copy_(writer.weight[order])
            writer.bias.copy_(writer.bias[order])
    return net
