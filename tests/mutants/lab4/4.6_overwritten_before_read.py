"""the cache was overwritten before it was read: every frame is its own past."""

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
        self.cache = x[:, :fold].clone()
        past = self.cache
        return torch.cat([past, x[:, fold:]], 1)
