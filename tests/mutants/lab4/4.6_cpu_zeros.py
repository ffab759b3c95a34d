"""the zeros before the first frame lie on the default device, where a frame need not be: make them like x."""

import torch
from torch import nn


class OnlineShift(nn.Module):
    def __init__(self, fold_div=8):
        super().__init__()
        self.fold_div = fold_div
        self.reset()

    def reset(self):
        self.cache = None

    def forward(self, x):
        fold = x.shape[1] // self.fold_div
        past = torch.zeros(x[:, :fold].shape) if self.cache is None else self.cache
        self.cache = x[:, :fold].clone()
        return torch.cat([past, x[:, fold:]], 1)
