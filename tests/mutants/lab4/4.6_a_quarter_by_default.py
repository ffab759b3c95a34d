"""who gives no fold_div gets another one than 8: leave the default as it is."""

import torch
from torch import nn


class OnlineShift(nn.Module):
    def __init__(self, fold_div=4):
        super().__init__()
        self.fold_div = fold_div
        self.reset()

    def reset(self):
        self.cache = None

    def forward(self, x):
        f = x.shape[1] // self.fold_div
        past = torch.zeros_like(x[:, :f]) if self.cache is None else self.cache
        self.cache = x[:, :f].clone()
        return torch.cat([past, x[:, f:]], 1)
