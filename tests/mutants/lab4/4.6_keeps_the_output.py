"""the past never arrives: the cache is never written, or it keeps the output in place of the frame's own channels."""

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
        past = torch.zeros_like(x[:, :fold]) if self.cache is None else self.cache
        out = torch.cat([past, x[:, fold:]], 1)
        self.cache = out[:, :fold].clone()
        return out
