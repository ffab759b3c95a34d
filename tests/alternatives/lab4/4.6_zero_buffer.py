"""An explicit buffer of zeros, written in place."""

from torch import nn


class OnlineShift(nn.Module):
    def __init__(self, fold_div=8):
        super().__init__()
        self.fold_div = fold_div
        self.cache = None

    def reset(self):
        self.cache = None

    def forward(self, x):
        fold = x.size(1) // self.fold_div
        if self.cache is None:
            self.cache = x.new_zeros(x.size(0), fold, *x.shape[2:])
        y = x.clone()
        y[:, :fold] = self.cache
        self.cache = x.detach()[:, :fold].clone()
        return y
