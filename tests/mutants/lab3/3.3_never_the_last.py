"""the largest shift is never drawn: torch.randint leaves its upper end out."""

import torch


def translation(x, rng):
    def read(length):
        reach = length // 8
        shift = torch.randint(-reach, reach, (len(x), 1), generator=rng, device=x.device)
        index = torch.arange(length, device=x.device) + shift
        return index.clamp(0, length - 1), (index >= 0) & (index < length)

    (rows, rows_inside), (columns, columns_inside) = read(x.shape[2]), read(x.shape[3])
    picture = torch.arange(len(x), device=x.device)[:, None, None]
    moved = x.movedim(1, 3)[picture, rows[:, :, None], columns[:, None, :]]
    inside = rows_inside[:, :, None] & columns_inside[:, None, :]
    return (moved * inside[..., None]).movedim(3, 1)
