"""every frame takes the first frame's channels: the cache must hold the frame just before."""

import torch
from torch import nn


class OnlineShift(nn.Module):
    def __init__(self, fold_div=8):
        super().__init__()
        self.fold_div = fold_div
        self.reset()

    def reset(self):
        self.cache, self.seen = None, []

    def forward(self, x):
        fold = x.shape[1] // self.fold_div
        past = self.seen[0] if self.seen else torch.zeros_like(x[:, :fold])
        self.cache = x[:, :fold].clone()
        self.seen.append(self.cache)
        return torch.cat([past, x[:, fold:]], 1)
