"""CycleGAN's generator has the parameters that its authors print, and the MACs of its layers."""

import torch

from efficientlab.counters import count
from efficientlab.models.gan.cyclegan import CycleGANGenerator


def test_the_paper_s_size() -> None:
    with torch.device("meta"):
        cost = count(CycleGANGenerator().eval(), torch.empty(1, 3, 256, 256))
    assert cost.complete
    assert cost.params == 11_378_179  # the authors' code prints 11.378 M
    full, half, quarter = 256**2, 128**2, 64**2
    ends = 2 * full * 49 * 3 * 64
    steps = 2 * (half * 9 * 64 * 128 + quarter * 9 * 128 * 256)  # two down, two up: each at the smaller size
    assert cost.macs == ends + steps + 9 * 2 * quarter * 9 * 256**2 == 49_551_507_456


def test_a_picture_keeps_its_size_and_stays_in_range() -> None:
    torch.manual_seed(0)
    net = CycleGANGenerator(width=4, blocks=2).eval()
    with torch.no_grad():
        picture = net(torch.randn(2, 3, 24, 16))
    assert picture.shape == (2, 3, 24, 16)
    assert picture.abs().max() <= 1
