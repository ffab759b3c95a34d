"""Rolled rows, with one number of the default device where a clip ends."""

import torch


def temporal_shift(x, n_frames, fold_div=8, causal=False):
    fold = x.shape[1] // fold_div
    frame = torch.arange(len(x), device=x.device).view(-1, 1, 1, 1) % n_frames
    nothing = torch.tensor(0.0, dtype=x.dtype)
    past = torch.where(frame > 0, x.roll(1, 0), nothing)
    future = torch.where(frame < n_frames - 1, x.roll(-1, 0), nothing)
    if causal:
        return torch.cat([past[:, :fold], x[:, fold:]], 1)
    return torch.cat([future[:, :fold], past[:, fold : 2 * fold], x[:, 2 * fold :]], 1)
