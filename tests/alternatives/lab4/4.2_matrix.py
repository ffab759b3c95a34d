"""A shift as a matrix product over time: slow, and right."""

import torch


def temporal_shift(x, n_frames, fold_div=8, causal=False):
    clips = x.reshape(-1, n_frames, *x.shape[1:])
    fold = x.shape[1] // fold_div
    past = torch.diag(torch.ones(n_frames - 1, dtype=x.dtype, device=x.device), -1)
    matrices = torch.eye(n_frames, dtype=x.dtype, device=x.device).repeat(x.shape[1], 1, 1)  # (C, T, T)
    if causal:
        matrices[:fold] = past
    else:
        matrices[:fold] = past.T
        matrices[fold : 2 * fold] = past
    return torch.einsum("cts,nschw->ntchw", matrices, clips).reshape(x.shape)
