"""pictures move by fractions of a pixel and are interpolated, which blurs them: shifts are whole pixels."""

import torch
import torch.nn.functional as F


def translation(x, rng):
    n, _, h, w = x.shape
    theta = torch.zeros(n, 2, 3, device=x.device, dtype=x.dtype)
    theta[:, 0, 0] = theta[:, 1, 1] = 1
    theta[:, :, 2] = (torch.rand(n, 2, generator=rng, device=x.device, dtype=x.dtype) - 0.5) / 2
    grid = F.affine_grid(theta, x.shape, align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)
