"""who gives no fold_div gets another one than 8: leave the defaults as they are."""

import torch


def temporal_shift(x, n_frames, fold_div=4, causal=False):
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
