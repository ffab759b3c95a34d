"""an eighth of the channels moves, whatever fold_div says: f = C // fold_div."""

import torch


def temporal_shift(x, n_frames, fold_div=8, causal=False):
    clips = x.unflatten(0, (-1, n_frames))
    fold = clips.shape[2] // 8
    out = torch.zeros_like(clips)
    if causal:
        out[:, 1:, :fold] = clips[:, :-1, :fold]
        out[:, :, fold:] = clips[:, :, fold:]
    else:
        out[:, :-1, :fold] = clips[:, 1:, :fold]
        out[:, 1:, fold : 2 * fold] = clips[:, :-1, fold : 2 * fold]
        out[:, :, 2 * fold :] = clips[:, :, 2 * fold :]
    return out.flatten(0, 1)
