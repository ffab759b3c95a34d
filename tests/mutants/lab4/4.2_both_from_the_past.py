"""both folds come from the past: the first fold must come from the future unless the shift is causal."""

import torch


def temporal_shift(x, n_frames, fold_div=8, causal=False):
    clips = x.unflatten(0, (-1, n_frames))
    fold = clips.shape[2] // fold_div
    out = torch.zeros_like(clips)
    moved = fold if causal else 2 * fold
    out[:, 1:, :moved] = clips[:, :-1, :moved]
    out[:, :, moved:] = clips[:, :, moved:]
    return out.flatten(0, 1)
