"""The small models that the cases of `counters.py` are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class Call(nn.Module):
    """A function as a module, so that tools which only take modules can count it too."""

    def __init__(self, fn: Callable[..., Any], *modules: nn.Module) -> None:
        super().__init__()
        self.fn = fn
        self.parts = nn.ModuleList(modules)

    def forward(self, *inputs: Tensor) -> Any:
        return self.fn(*inputs)


def attention_by_hand(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return (q @ k.transpose(-2, -1)).softmax(-1) @ v


def causal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def shift_by_slices(x: Tensor) -> Tensor:
    """x[N, T, C, H, W]: two channels from the next frame, two from the previous one, four stay."""
    y = torch.zeros_like(x)
    y[:, :-1, :2] = x[:, 1:, :2]
    y[:, 1:, 2:4] = x[:, :-1, 2:4]
    y[:, :, 4:] = x[:, :, 4:]
    return y


class SelfAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(x, x, x)[0]


class LSTMWithState(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 8, bias=False)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> Tensor:
        return self.lstm(x, (h, c))[0]


class SharedLinear(nn.Module):
    """The same layer three times in a row."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(16, 16, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(self.layer(self.layer(x)))


class Checkpointed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 32, bias=False), nn.ReLU(), nn.Linear(32, 16, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return checkpoint(self.body, x, use_reentrant=False)


def conv(*args: Any, **kwargs: Any) -> nn.Conv2d:
    return nn.Conv2d(*args, bias=False, **kwargs)


class Bottleneck(nn.Module):
    """ResNet's block: 1×1, 3×3, 1×1, beside a projection where the shape changes."""

    def __init__(self, channels: int, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(channels, width, 1), nn.BatchNorm2d(width), nn.ReLU(),
            conv(width, width, 3, stride=stride, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
            conv(width, out, 1), nn.BatchNorm2d(out),
        )  # fmt: skip
        changes = stride > 1 or channels != out
        project = nn.Sequential(conv(channels, out, 1, stride=stride), nn.BatchNorm2d(out))
        self.shortcut = project if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.shortcut(x))


def inverted_residual() -> nn.Module:
    """MobileNetV2: expand 1×1, depthwise 3×3, project 1×1."""
    depthwise = conv(48, 48, 3, padding=1, groups=48)
    return nn.Sequential(conv(8, 48, 1), nn.ReLU6(), depthwise, nn.ReLU6(), conv(48, 8, 1))


class ResidualBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1), conv(width, width, 3), nn.InstanceNorm2d(width), nn.ReLU(),
            nn.ReflectionPad2d(1), conv(width, width, 3), nn.InstanceNorm2d(width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def upsampling(channels: int, out: int) -> nn.Module:
    return nn.ConvTranspose2d(channels, out, 3, stride=2, padding=1, output_padding=1, bias=False)


def cyclegan_generator() -> nn.Module:
    """The ResNet-9 generator of CycleGAN, ngf = 64: 49.55 G MACs at 256², not the published 56.8 G."""
    return nn.Sequential(
        nn.ReflectionPad2d(3), conv(3, 64, 7), nn.InstanceNorm2d(64), nn.ReLU(),
        conv(64, 128, 3, stride=2, padding=1), nn.InstanceNorm2d(128), nn.ReLU(),
        conv(128, 256, 3, stride=2, padding=1), nn.InstanceNorm2d(256), nn.ReLU(),
        *(ResidualBlock(256) for _ in range(9)),
        upsampling(256, 128), nn.InstanceNorm2d(128), nn.ReLU(),
        upsampling(128, 64), nn.InstanceNorm2d(64), nn.ReLU(),
        nn.ReflectionPad2d(3), conv(64, 3, 7), nn.Tanh(),
    )  # fmt: skip


def cyclegan_macs(side: int) -> int:
    """Transposed convolutions at the size of their *input*: each input pixel meets each weight once."""
    full, half, quarter = side**2, (side // 2) ** 2, (side // 4) ** 2
    ends = full * 7 * 7 * (3 * 64 + 64 * 3)
    down = half * 9 * 64 * 128 + quarter * 9 * 128 * 256
    blocks = 9 * 2 * quarter * 9 * 256 * 256
    up = quarter * 9 * 256 * 128 + half * 9 * 128 * 64
    return ends + down + blocks + up


class SparseConv(nn.Module):
    """Gather, multiply, scatter: a 3-tap sparse convolution over the pairs of points that exist."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 16, 24))
        self.pairs = [([0, 1, 4], [1, 2, 5]), (list(range(6)), list(range(6))), ([1, 5], [0, 4])]

    def forward(self, x: Tensor) -> Tensor:
        y = x.new_zeros(6, 24)
        for offset, (source, target) in enumerate(self.pairs):
            taken = x.index_select(0, torch.tensor(source, device=x.device))
            y = y.index_add(0, torch.tensor(target, device=x.device), taken @ self.weight[offset])
        return y


def sparse_matrix() -> Tensor:
    """Rows 0 … 7 of an 8 × 10 matrix with 11 entries."""
    rows = torch.tensor([0, 0, 1, 2, 2, 2, 4, 5, 6, 6, 7])
    columns = torch.tensor([1, 9, 0, 3, 4, 5, 7, 2, 0, 9, 8])
    return torch.sparse_coo_tensor(torch.stack([rows, columns]), torch.ones(11), (8, 10)).coalesce()


class Opaque(torch.autograd.Function):
    """A product inside an autograd function, forward and backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, w = ctx.saved_tensors
        return grad @ w.t(), x.t() @ grad


def resnet50() -> nn.Module:
    """ResNet-50 for 224² images: 4.09 G MACs, 25.6 M parameters."""
    stages: list[nn.Module] = []
    channels = 64
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            stages.append(Bottleneck(channels, width, 4 * width, stride if block == 0 else 1))
            channels = 4 * width
    return nn.Sequential(
        conv(3, 64, 7, stride=2, padding=3), nn.BatchNorm2d(64), nn.ReLU(),
        nn.MaxPool2d(3, stride=2, padding=1), *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000),
    )  # fmt: skip
