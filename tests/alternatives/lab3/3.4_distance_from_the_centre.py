import torch


def cutout(x, rng):
    n, _, h, w = x.shape
    a = torch.randint(0, h + 1, (n, 1, 1, 1), generator=rng, device=x.device)
    b = torch.randint(0, w + 1, (n, 1, 1, 1), generator=rng, device=x.device)
    rows = (torch.arange(h, device=x.device)[:, None] - a + 0.5).abs() < h / 4
    columns = (torch.arange(w, device=x.device) - b + 0.5).abs() < w / 4
    return torch.where(rows & columns, 0, x)
