"""the output is right but the cache keeps the whole frame: only the first C // fold_div channels are needed."""

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
        past = torch.zeros_like(x[:, :fold]) if self.cache is None else self.cache[:, :fold]
        self.cache = x.clone()
        return torch.cat([past, x[:, fold:]], 1)
