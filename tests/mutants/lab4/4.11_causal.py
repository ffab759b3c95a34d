"""this is the kernel of the causal shift: the bidirectional one has the next frame in the first fold."""

import torch


def kernel_in_time(weight, fold_div=8):
    fold = weight.shape[1] // fold_div
    kernel = torch.stack([torch.zeros_like(weight)] * 3, 2)
    kernel[:, :fold, 0] = weight[:, :fold]
    kernel[:, fold:, 1] = weight[:, fold:]
    return kernel
