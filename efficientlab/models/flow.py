"""Dense optical flow by the method of Horn and Schunck, "Determining optical flow" (1981), in convolutions.

Nothing is learnt. The point of writing it in torch is that its cost is then counted like a network's.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_SMOOTH = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
_AVERAGE = torch.tensor([[1.0, 2.0, 1.0], [2.0, 0.0, 2.0], [1.0, 2.0, 1.0]]) / 12  # of the eight neighbours


@torch.no_grad()
def horn_schunck(video: Tensor, *, smoothness: float = 0.1, iterations: int = 12) -> Tensor:
    """Flow (u, v), in pixels a frame, rightwards and downwards, from each frame to the next.

    Minimises ∫ (I_x u + I_y v + I_t)² + α² (|∇u|² + |∇v|²) with α² = ``smoothness`` by Jacobi iterations

        (u, v) ← (ū, v̄) − (I_x, I_y) · (I_x ū + I_y v̄ + I_t) / (α² + I_x² + I_y²),

    where ū is the average of u over its eight neighbours. The linearised brightness constancy holds for
    motion of about a pixel; faster motion keeps its direction but loses speed.

    Shapes: video (N, T, 3, H, W) with unit scale → (N, T−1, 2, H, W).
    """
    n, t, _, h, w = video.shape
    grey = video.float().mean(2).view(n * t, 1, h, w)
    smooth = _SMOOTH.to(video.device)
    grey = F.conv2d(grey, smooth.view(1, 1, 1, 5), padding=(0, 2))
    grey = F.conv2d(grey, smooth.view(1, 1, 5, 1), padding=(2, 0)).view(n, t, h, w)
    both = F.pad((grey[:, 1:] + grey[:, :-1]) / 2, (1, 1, 1, 1), mode="replicate")  # (N, T-1, H+2, W+2)
    gradient = torch.stack(
        [both[..., 1:-1, 2:] - both[..., 1:-1, :-2], both[..., 2:, 1:-1] - both[..., :-2, 1:-1]], 2
    )  # (N, T-1, 2, H, W)
    gradient = gradient.flatten(0, 1) / 2  # (N(T-1), 2, H, W)
    change = (grey[:, 1:] - grey[:, :-1]).reshape(-1, 1, h, w)
    gain = gradient / (smoothness + gradient.square().sum(1, keepdim=True))
    average = _AVERAGE.to(video.device).expand(2, 1, 3, 3)
    flow = -gain * change  # the first iteration, from rest
    for _ in range(iterations - 1):
        mean = F.conv2d(F.pad(flow, (1, 1, 1, 1), mode="replicate"), average, groups=2)
        flow = mean - gain * ((gradient * mean).sum(1, keepdim=True) + change)
    return flow.view(n, t - 1, 2, h, w)
