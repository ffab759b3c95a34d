"""Frames looked up by an index, which may lie on any device."""

import torch


def temporal_shift(x, n_frames, fold_div=8, causal=False):
    clips = x.unflatten(0, (-1, n_frames))
    fold = clips.shape[2] // fold_div
    frame = torch.arange(n_frames)
    past, future = (frame - 1).clamp(min=0), (frame + 1).clamp(max=n_frames - 1)
    out = clips.clone()
    first = slice(0, fold) if causal else slice(fold, 2 * fold)
    out[:, :, first] = clips[:, past, first]
    out[:, 0, first] = 0
    if not causal:
        out[:, :, :fold] = clips[:, future, :fold]
        out[:, -1, :fold] = 0
    return out.flatten(0, 1)
