import torch
import torch.nn.functional as F


def translation(x, rng):
    n, _, h, w = x.shape
    u = torch.randint(-(h // 8), h // 8 + 1, (n, 1, 1), generator=rng, device=x.device)
    v = torch.randint(-(w // 8), w // 8 + 1, (n, 1, 1), generator=rng, device=x.device)
    i = (torch.arange(h, device=x.device)[None, :, None] + u).expand(n, h, w)
    j = (torch.arange(w, device=x.device)[None, None, :] + v).expand(n, h, w)
    grid = torch.stack([(2 * j + 1) / w - 1, (2 * i + 1) / h - 1], -1).to(x.dtype)  # (N, H, W, 2)
    return F.grid_sample(x, grid, mode="nearest", padding_mode="zeros", align_corners=False)
