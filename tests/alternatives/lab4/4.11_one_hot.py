"""One tap an input channel, as a product with a table of zeros and ones."""

import torch


def kernel_in_time(weight, fold_div=8):
    channel = torch.arange(weight.shape[1], device=weight.device)
    fold = len(channel) // fold_div
    tap = torch.where(channel < fold, 2, torch.where(channel < 2 * fold, 0, 1))
    chosen = torch.nn.functional.one_hot(tap, 3).to(weight.dtype)  # (C_in, 3)
    return weight[:, :, None] * chosen[None, :, :, None, None]
