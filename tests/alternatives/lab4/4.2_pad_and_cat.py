"""Padding in time and one concatenation."""

import torch
import torch.nn.functional as F


def temporal_shift(x, n_frames, fold_div=8, causal=False):
    n = x.shape[0] // n_frames
    clips = x.reshape(n, n_frames, *x.shape[1:])
    fold = x.shape[1] // fold_div
    padded = F.pad(clips, (0, 0, 0, 0, 0, 0, 1, 1))  # a zero frame before and after
    past, future = padded[:, :-2], padded[:, 2:]
    if causal:
        parts = [past[:, :, :fold], clips[:, :, fold:]]
    else:
        parts = [future[:, :, :fold], past[:, :, fold : 2 * fold], clips[:, :, 2 * fold :]]
    return torch.cat(parts, dim=2).reshape(x.shape)
