"""the 2D weights were turned around in space: `conv2d` and `conv3d` read theirs in the same order."""

import torch


def kernel_in_time(weight, fold_div=8):
    fold = weight.shape[1] // fold_div
    kernel = torch.stack([torch.zeros_like(weight)] * 3, 2)
    turned = weight.flip(-2, -1)
    kernel[:, :fold, 2] = turned[:, :fold]
    kernel[:, fold : 2 * fold, 0] = turned[:, fold : 2 * fold]
    kernel[:, 2 * fold :, 1] = turned[:, 2 * fold :]
    return kernel
