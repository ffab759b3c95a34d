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
    grey = video.float().mean(2).view(1, n * t, h, w)
    grey = _filter(_filter(grey, _SMOOTH.view(1, 5)), _SMOOTH.view(5, 1)).view(n, t, h, w)
    both = F.pad((grey[:, 1:] + grey[:, :-1]) / 2, (1, 1, 1, 1), mode="replicate")  # (N, T-1, H+2, W+2)
    across = (both[..., 1:-1, 2:] - both[..., 1:-1, :-2]) / 2
    down = (both[..., 2:, 1:-1] - both[..., :-2, 1:-1]) / 2
    gradient = torch.stack([across, down], 2)  # (N, T-1, 2, H, W)
    change = (grey[:, 1:] - grey[:, :-1]).unsqueeze(2)  # (N, T-1, 1, H, W)
    gain = gradient / (smoothness + gradient.square().sum(2, keepdim=True))
    flow = -gain * change  # the first iteration, from rest
    for _ in range(iterations - 1):
        mean = _filter(flow.view(1, -1, h, w), _AVERAGE).view_as(flow)
        flow = mean - gain * ((gradient * mean).sum(2, keepdim=True) + change)
    return flow


def _filter(images: Tensor, kernel: Tensor) -> Tensor:
    """Filters every channel of (1, C, H, W) with one kernel; pixels outside repeat those of the border.

    One depthwise convolution over all images at once is several times faster than a batch of small ones.
    """
    channels, (kh, kw) = images.shape[1], kernel.shape
    images = F.pad(images, (kw // 2, kw // 2, kh // 2, kh // 2), mode="replicate")
    return F.conv2d(images, kernel.to(images.device).expand(channels, 1, kh, kw), groups=channels)
