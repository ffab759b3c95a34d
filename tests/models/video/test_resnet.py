import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from efficientlab.models.video.resnet import BasicBlock, SmallResNet


def batch_norm(x: torch.Tensor, norm: nn.BatchNorm2d) -> torch.Tensor:
    shape = (1, -1, 1, 1)
    x = (x - norm.running_mean.view(shape)) / (norm.running_var.view(shape) + norm.eps).sqrt()
    return x * norm.weight.view(shape) + norm.bias.view(shape)


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """Double precision, in evaluation mode, and with statistics that are not 0 and 1."""
    rng = torch.Generator().manual_seed(seed)
    module.double().eval()
    for m in module.modules():
        if isinstance(m, nn.BatchNorm2d):
            for tensor, low in (
                (m.running_mean, -1),
                (m.running_var, 0.5),
                (m.weight.data, 0.5),
                (m.bias.data, -1),
            ):
                tensor.uniform_(low, low + 2, generator=rng)
    return module


@pytest.mark.parametrize(("c_in", "c_out", "stride"), [(4, 4, 1), (4, 6, 1), (4, 4, 2), (4, 6, 2)])
def test_basic_block_is_its_formula(c_in, c_out, stride):
    block = randomised(BasicBlock(c_in, c_out, stride))
    x = torch.randn(3, c_in, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    before = x.clone()
    y = F.conv2d(x, block.conv1.weight, stride=stride, padding=1)
    y = F.conv2d(batch_norm(y, block.bn1).clamp(min=0), block.conv2.weight, padding=1)
    shortcut = x
    if (c_in, 1) != (c_out, stride):
        conv, norm = block.shortcut
        shortcut = batch_norm(F.conv2d(x, conv.weight, stride=stride), norm)
    expected = (batch_norm(y, block.bn2) + shortcut).clamp(min=0)
    torch.testing.assert_close(block(x), expected)
    torch.testing.assert_close(x, before)


def test_the_block_is_made_by_the_caller():
    made = []

    class Recorded(BasicBlock):
        def __init__(self, in_channels, out_channels, stride):
            super().__init__(in_channels, out_channels, stride)
            made.append((in_channels, out_channels, stride))

    net = SmallResNet(Recorded, widths=(8, 12, 20), in_channels=2, classes=5)
    assert made == [(8, 8, 1), (8, 12, 2), (12, 20, 2)]
    assert all(type(block) is Recorded for block in net.blocks)
    assert net(torch.zeros(3, 2, 32, 32)).shape == (3, 5)
    assert net.features(torch.zeros(3, 2, 48, 32)).shape == (3, 20)


def test_cost_is_what_the_layers_say():
    a, b, c = widths = (16, 32, 112)
    net = SmallResNet(widths=widths)
    weights = [  # (weights, positions) of each convolution at 32 × 32 pixels
        (3 * a * 16, 64),
        (2 * 9 * a * a, 64),
        (9 * a * b + 9 * b * b + a * b, 16),
        (9 * b * c + 9 * c * c + b * c, 4),
    ]
    norms = 2 * (a + 2 * a + 3 * b + 3 * c)
    head = 12 * c + 12
    assert sum(p.numel() for p in net.parameters()) == sum(w for w, _ in weights) + norms + head
    with FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, 3, 32, 32))
    assert counter.get_total_flops() == 2 * (sum(w * n for w, n in weights) + 12 * c)


def test_weights_follow_the_seed():
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return torch.cat([p.flatten() for p in SmallResNet().parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))
