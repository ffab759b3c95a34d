"""transposed convolutions in 1D are missing."""

from functools import partial

import torch
from torch import Tensor, nn


def count_macs(model: nn.Module, *inputs: Tensor) -> dict[str, int]:
    counts, handles = {}, []
    transposed = (nn.ConvTranspose2d, nn.ConvTranspose3d)
    plain = (nn.Conv1d, nn.Conv2d, nn.Conv3d)

    def hook(name, module, args, output):
        w = module.weight.numel()
        if isinstance(module, transposed):
            macs = args[0].numel() // module.in_channels * w
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
