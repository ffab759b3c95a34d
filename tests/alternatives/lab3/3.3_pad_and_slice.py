"""A padded picture, and a window of it for each picture."""

import torch
import torch.nn.functional as F


def translation(x, rng):
    n, _, h, w = x.shape
    a, b = h // 8, w // 8
    padded = F.pad(x, (b, b, a, a))
    down = torch.randint(0, 2 * a + 1, (n,), generator=rng, device=x.device).tolist()
    across = torch.randint(0, 2 * b + 1, (n,), generator=rng, device=x.device).tolist()
    windows = [p[:, i : i + h, j : j + w] for p, i, j in zip(padded, down, across, strict=True)]
    return torch.stack(windows)
