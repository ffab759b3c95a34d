"""who does not ask for the causal form gets it: leave the defaults as they are."""

import torch


def temporal_shift(x, n_frames, fold_div=8, causal=True):
    v = x.unflatten(0, (-1, n_frames))
    f = v.shape[2] // fold_div
    y = torch.zeros_like(v)
    if causal:
        y[:, 1:, :f] = v[:, :-1, :f]
        y[:, :, f:] = v[:, :, f:]
    else:
        y[:, :-1, :f] = v[:, 1:, :f]
        y[:, 1:, f : 2 * f] = v[:, :-1, f : 2 * f]
        y[:, :, 2 * f :] = v[:, :, 2 * f :]
    return y.flatten(0, 1)
