"""An explicit buffer of zeros, written in place."""

from torch import nn


class OnlineShift(nn.Module):
    def __init__(self, fold_div=8):
        super().__init__()
        self.fold_div = fold_div
        self.past = None

    def reset(self):
        self.past = None

    def forward(self, x):
        fold = x.size(1) // self.fold_div
        if self.past is None:
            self.past = x.new_zeros(x.size(0), fold, *x.shape[2:])
        y = x.clone()
        y[:, :fold] = self.past
        self.past = x.detach()[:, :fold].clone()
        return y
