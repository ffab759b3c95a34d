"""where every channel moves, the rest is no channel: a slice [-0:] is not empty, it is all of them."""

import torch


def temporal_shift(x, n_frames, fold_div=8, causal=False):
    clips = x.unflatten(0, (-1, n_frames))
    fold = clips.shape[2] // fold_div
    out = torch.zeros_like(clips)
    if causal:
        out[:, 1:, :fold] = clips[:, :-1, :fold]
        out[:, :, fold:] = clips[:, :, fold:]
    else:
        out[:, :-1, :fold] = clips[:, 1:, :fold]
        out[:, 1:, fold : 2 * fold] = clips[:, :-1, fold : 2 * fold]
        rest = clips.shape[2] - 2 * fold
        out[:, :, -rest:] = clips[:, :, -rest:]
    return out.flatten(0, 1)
