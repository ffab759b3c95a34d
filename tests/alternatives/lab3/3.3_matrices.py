"""Rows and columns are moved by matrices of zeros and ones."""

import torch


def translation(x, rng):
    def moved(length):
        r = length // 8
        shift = (torch.rand(len(x), generator=rng, device=x.device) * (2 * r + 1)).long() - r
        index = torch.arange(length, device=x.device)
        return (index[:, None] + shift[:, None, None] == index).to(x.dtype)[:, None]  # (N, 1, length, length)

    return moved(x.shape[2]) @ x @ moved(x.shape[3]).transpose(2, 3)
