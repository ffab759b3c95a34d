"""ResNet-50 has the parameters and MACs that everybody knows."""

import pytest
import torch

from efficientlab.counters import count
from efficientlab.models.video.resnet50 import Inflation, ResNet50


def on_meta(inflation: Inflation, frames: int, classes: int) -> tuple[int, int]:
    with torch.device("meta"):
        cost = count(ResNet50(inflation, classes).eval(), torch.empty(1, frames, 3, 224, 224))
    assert cost.complete
    return cost.macs, cost.params


def test_one_frame_is_the_image_network() -> None:
    macs, parameters = on_meta("none", 1, 1000)
    assert parameters == 25_557_032  # as in torchvision's resnet50
    assert macs == 4_089_184_256  # 4.1 G, the convolutions and the head


def test_frames_multiply_macs_and_keep_parameters() -> None:
    head = 2048 * 174  # applied once a clip
    one, eight = on_meta("none", 1, 174), on_meta("none", 8, 174)
    assert eight == (8 * (one[0] - head) + head, one[1])


@pytest.mark.parametrize(("inflation", "factor"), [("3x1x1", 1), ("3x3x3", 9)])
def test_inflation_triples_the_inflated_convolutions(inflation: Inflation, factor: int) -> None:
    net = ResNet50("none")
    kernel = (1, 1, 1) if inflation == "3x1x1" else (1, 3, 3)
    first = {id(block.residual[0]) for block in net.blocks}  # type: ignore[index, union-attr]
    inflated = [
        m
        for m in net.blocks.modules()
        if isinstance(m, torch.nn.Conv3d) and m.kernel_size == kernel and (factor == 9 or id(m) in first)
    ]
    assert len(inflated) == 16
    added = 2 * sum(m.weight.numel() for m in inflated)
    assert on_meta(inflation, 8, 174)[1] == on_meta("none", 8, 174)[1] + added


def test_clips_go_in_and_classes_come_out() -> None:
    with torch.inference_mode():
        assert ResNet50("3x3x3", 5).eval()(torch.randn(2, 2, 3, 32, 32)).shape == (2, 5)
