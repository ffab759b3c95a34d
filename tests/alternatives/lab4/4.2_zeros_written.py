"""Zeros from the default device, written into the ends of a copy."""

import torch


def temporal_shift(x, n_frames, fold_div=8, causal=False):
    clips = x.unflatten(0, (-1, n_frames))
    fold = clips.shape[2] // fold_div
    nothing = torch.zeros(len(clips), fold, *x.shape[2:])
    out = clips.clone()
    if causal:
        out[:, 1:, :fold] = clips[:, :-1, :fold]
        out[:, 0, :fold] = nothing
    else:
        out[:, :-1, :fold] = clips[:, 1:, :fold]
        out[:, -1, :fold] = nothing
        out[:, 1:, fold : 2 * fold] = clips[:, :-1, fold : 2 * fold]
        out[:, 0, fold : 2 * fold] = nothing
    return out.flatten(0, 1)
