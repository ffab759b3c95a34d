"""what is made here lies on the default device, where x need not be: make it like x, or say `device=x.device`."""

import torch


def temporal_shift(x, n_frames, fold_div=8, causal=False):
    clips = x.unflatten(0, (-1, n_frames))
    fold = clips.shape[2] // fold_div
    nothing = torch.zeros(len(clips), 1, fold, *x.shape[2:], dtype=x.dtype)
    if causal:
        past = torch.cat([nothing, clips[:, :-1, :fold]], 1)
        return torch.cat([past, clips[:, :, fold:]], 2).flatten(0, 1)
    future = torch.cat([clips[:, 1:, :fold], nothing], 1)
    past = torch.cat([nothing, clips[:, :-1, fold : 2 * fold]], 1)
    return torch.cat([future, past, clips[:, :, 2 * fold :]], 2).flatten(0, 1)
