"""the output is right but the cache is registered as a buffer, so it would be saved and loaded with the weights."""

import torch
from torch import nn


class OnlineShift(nn.Module):
    def __init__(self, fold_div=8):
        super().__init__()
        self.fold_div = fold_div
        self.register_buffer("cache", None)

    def reset(self):
        self.cache = None

    def forward(self, x):
        fold = x.shape[1] // self.fold_div
        past = torch.zeros_like(x[:, :fold]) if self.cache is None else self.cache
        self.cache = x[:, :fold].clone()
        return torch.cat([past, x[:, fold:]], 1)
