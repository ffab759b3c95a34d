"""reset keeps the old stream's cache."""

import torch
from torch import nn


class OnlineShift(nn.Module):
    def __init__(self, fold_div=8):
        super().__init__()
        self.fold_div = fold_div
        self.cache = None

    def reset(self):
        return

    def forward(self, x):
        fold = x.shape[1] // self.fold_div
        past = torch.zeros_like(x[:, :fold]) if self.cache is None else self.cache
        self.cache = x[:, :fold].clone()
        return torch.cat([past, x[:, fold:]], 1)
