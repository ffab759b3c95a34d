"""A small classifier whose features measure generated pictures, where papers take the Inception network.

Inception's features were learnt on photographs of 299 × 299 pixels, and its weights are a download of 90 MB.
Pictures of 32 × 32 pixels are measured better by a network that was trained on pictures of their own kind.
A distance in these features compares with other distances in the same features, and with nothing else.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from efficientlab.datasets.files import data_path


class FeatureNet(nn.Module):
    """Convolutions 3×3 with batch norm and ReLU, each but the first with stride 2; average pool; linear head.

    Shapes: pictures (N, channels, H, W), floating, values in [−1, 1], to features (N, widths[-1]). Pictures may lie on
    another device than the network; features lie where the network does.
    """

    value_range = (-1.0, 1.0)

    def __init__(self, channels: int = 1, classes: int = 10, widths: Sequence[int] = (16, 32, 64)) -> None:
        super().__init__()
        self.channels = channels
        inputs = (channels, *widths[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(i, o, 3, stride=1 if n == 0 else 2, padding=1, bias=False),
                nn.BatchNorm2d(o),
                nn.ReLU(inplace=True),
            )
            for n, (i, o) in enumerate(zip(inputs, widths, strict=True))
        )
        self.head = nn.Linear(widths[-1], classes)

    def maps(self, x: Tensor) -> list[Tensor]:
        """The output of each stage: (N, C, H, W), (N, C', H/2, W/2), ….

        Raises:
            ValueError: not pictures of this network's number of channels.
            TypeError: not floating.
        """
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise ValueError(f"pictures must be (N, {self.channels}, H, W), got shape {tuple(x.shape)}")
        if not x.is_floating_point():
            raise TypeError(f"pictures must be floating, in [−1, 1], got {x.dtype}")
        maps: list[Tensor] = []
        # channels last: norms over channels are far faster on a CPU
        x = x.to(self.head.weight.device).contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """The features (N, widths[-1]): the mean over positions of the last stage."""
        return self.maps(x)[-1].mean((2, 3))

    def logits(self, x: Tensor) -> Tensor:
        """Scores of the classes that the network was trained to tell apart: (N, classes)."""
        return self.head(self(x))


@functools.cache
def load_features(name: str = "fashion") -> FeatureNet:
    """The shipped network that was trained on pictures of a kind, frozen and in evaluation mode.

    "fashion" is for the classes of Fashion-MNIST as `fashion_pictures` makes them. Made by data/make_features.py.

    Raises:
        FileNotFoundError: there is no such network.
        ValueError: its file is damaged.
    """
    from safetensors.torch import load_file

    state = load_file(data_path(f"features/{name}.safetensors"))
    classes, width = state["head.weight"].shape
    widths = [state[f"stages.{n}.0.weight"].shape[0] for n in range(sum(".0.weight" in key for key in state))]
    assert widths[-1] == width
    network = FeatureNet(state["stages.0.0.weight"].shape[1], classes, widths)
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)
