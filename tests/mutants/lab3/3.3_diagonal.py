"""rows and columns move by the same draw: draw them independently."""

import torch


def translation(x, rng):
    share = torch.rand(len(x), 1, generator=rng, device=x.device)

    def read(length):
        reach = length // 8
        shift = (share * (2 * reach + 1)).floor().long() - reach
        index = torch.arange(length, device=x.device) + shift
        return index.clamp(0, length - 1), (index >= 0) & (index < length)

    (rows, rows_inside), (columns, columns_inside) = read(x.shape[2]), read(x.shape[3])
    picture = torch.arange(len(x), device=x.device)[:, None, None]
    moved = x.movedim(1, 3)[picture, rows[:, :, None], columns[:, None, :]]
    inside = rows_inside[:, :, None] & columns_inside[:, None, :]
    return (moved * inside[..., None]).movedim(3, 1)
