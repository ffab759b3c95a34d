from math import prod

import torch
from torch import nn


def count_macs(model, *inputs):
    counts, handles = {}, []
    kinds = (nn.modules.conv._ConvNd, nn.Linear)
    for name, layer in model.named_modules():
        if not isinstance(layer, kinds):
            continue
        counts[name] = 0

        def hook(layer, given, output, name=name):
            if isinstance(layer, nn.Linear):
                counts[name] += prod(output.shape) * layer.in_features
                return
            turned = layer.transposed
            pixels = (given[0] if turned else output).shape[2:]
            fan = layer.in_channels * layer.out_channels // layer.groups * prod(layer.kernel_size)
            counts[name] += given[0].shape[0] * prod(pixels) * fan

        handles.append(layer.register_forward_hook(hook))
    try:
        with torch.inference_mode():
            model(*inputs)
    finally:
        [handle.remove() for handle in handles]
    return counts
