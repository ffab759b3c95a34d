"""pictures move up and down only: columns must be drawn, too."""

import torch


def translation(x, rng):
    def read(length):
        reach = length // 8
        shift = torch.randint(-reach, reach + 1, (len(x), 1), generator=rng, device=x.device)
        index = torch.arange(length, device=x.device) + shift
        return index.clamp(0, length - 1), (index >= 0) & (index < length)

    (rows, rows_inside), (columns, columns_inside) = (
        read(x.shape[2]),
        (
            torch.arange(x.shape[3], device=x.device).expand(len(x), -1),
            torch.ones(len(x), x.shape[3], dtype=torch.bool, device=x.device),
        ),
    )
    picture = torch.arange(len(x), device=x.device)[:, None, None]
    moved = x.movedim(1, 3)[picture, rows[:, :, None], columns[:, None, :]]
    inside = rows_inside[:, :, None] & columns_inside[:, None, :]
    return (moved * inside[..., None]).movedim(3, 1)
