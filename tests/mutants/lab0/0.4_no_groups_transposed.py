"""the groups of the transposed convolution are missing: its weight has c_out / groups channels, not c_out."""

from functools import partial
from math import prod

import torch
from torch import Tensor, nn


def count_macs(model: nn.Module, *inputs: Tensor) -> dict[str, int]:
    counts, handles = {}, []
    transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
    plain = (nn.Conv1d, nn.Conv2d, nn.Conv3d)

    def hook(name, module, args, output):
        w = module.weight.numel()
        if isinstance(module, transposed):
            macs = args[0].numel() * prod(module.kernel_size) * module.out_channels
        elif isinstance(module, nn.Linear):
            macs = output.numel() // module.out_features * w
        else:
            macs = output.numel() // module.out_channels * w
        counts[name] = counts.get(name, 0) + macs

    try:
        for name, module in model.named_modules():
            if isinstance(module, transposed + plain + (nn.Linear,)):
                handles.append(module.register_forward_hook(partial(hook, name)))
        with torch.no_grad():
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return counts
