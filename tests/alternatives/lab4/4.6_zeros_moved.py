"""Zeros that are made on the default device, and brought to the frame's."""

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
        past = self.cache
        if past is None:
            past = torch.zeros(len(x), fold, *x.shape[2:]).to(x.device, x.dtype)
        self.cache = x[:, :fold].clone()
        return torch.cat([past, x[:, fold:]], 1)
