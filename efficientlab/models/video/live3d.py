"""A 3D network that runs live: it looks only into the past, and keeps what the next frame needs of this one.

Hedegaard and Iosifidis, "Continual 3D convolutional neural networks for real-time processing of videos" (ECCV 2022).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.models.video.rivals import ResNet3D


class CausalConv3d(nn.Conv3d):
    """A convolution of three frames whose window ends with the present one; before the first frame are zeros.

    While it is `live`, it keeps the last two frames of all its input channels, and its next input goes on from there.
    So a clip in one piece and a clip frame by frame give the same. Shapes: (N, C_in, T, H, W) → (N, C_out, T, …).
    """

    live = False
    past: Tensor | None = None  # (N, C_in, 2, H, W), of a stream that has begun

    def forward(self, x: Tensor) -> Tensor:
        past = F.pad(x[:, :, :0], (0, 0, 0, 0, 2, 0)) if self.past is None else self.past
        x = torch.cat([past, x], 2)  # (N, C_in, 2 + T, H, W)
        if self.live:
            self.past = x[:, :, -2:].clone()  # a copy: the frames themselves are freed
        return super().forward(x)


class CausalResNet3D(ResNet3D):
    """`ResNet3D` without a view of the future: the same weights under the same names, MACs and parameters.

    Shapes: (N, T, 3, H, W) → (N, classes).
    """

    def __init__(self, **sizes: object) -> None:
        super().__init__(**sizes)  # type: ignore[arg-type]
        for block in self.blocks:
            for name in ("conv1", "conv2"):
                setattr(block, name, _without_future(getattr(block, name)))
        self.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]


class Live3D(nn.Module):
    """A `CausalResNet3D` that gets one frame a call, (N, 3, H, W) → (N, classes), and remembers until `reset`."""

    def __init__(self, net: CausalResNet3D) -> None:
        super().__init__()
        self.net = net
        self.convolutions = [m for m in net.modules() if isinstance(m, CausalConv3d)]
        self.reset()

    def reset(self) -> None:
        """Start a new stream: the past is zero."""
        for conv in self.convolutions:
            conv.live, conv.past = True, None

    def forward(self, frame: Tensor) -> Tensor:
        return self.net(frame[:, None])

    def kept(self) -> int:
        """How many numbers the stream keeps."""
        return sum(conv.past.numel() for conv in self.convolutions if conv.past is not None)


def _without_future(conv: nn.Conv3d) -> CausalConv3d:
    """The same convolution with all of its padding in time before the first frame."""
    assert not isinstance(conv.padding, str)
    causal = CausalConv3d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,  # type: ignore[arg-type]
        conv.stride,  # type: ignore[arg-type]
        (0, *conv.padding[1:]),  # type: ignore[arg-type]
        bias=False,
    )
    causal.weight = conv.weight
    return causal
