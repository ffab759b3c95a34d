"""What was asked of the teacher in advance is what it would answer now."""

from __future__ import annotations

import pytest
import torch

from efficientlab.datasets.gan.edges import edges2shoes, to_pixels
from efficientlab.models.gan.pix2pix import TAPS, Config, ResNetGenerator
from efficientlab.training.gan.taught import Taught


def test_looked_up_is_asked() -> None:
    torch.manual_seed(0)
    teacher = ResNetGenerator(Config(2, 3, 4, 3, 3, 3, 3, 2)).eval()
    pairs = edges2shoes("val", 10)
    taught = Taught(teacher, pairs, batch=4)
    drawing = to_pixels(pairs.drawing[[7, 0, 7]])
    with torch.no_grad():
        expected = teacher.with_features(drawing)[1]
    found = taught(drawing)
    assert len(found) == len(TAPS)
    for now, before in zip(expected, found, strict=True):
        assert torch.allclose(now, before, atol=1e-5)
        assert not before.requires_grad


def test_a_drawing_that_it_was_not_asked_about_is_refused() -> None:
    teacher = ResNetGenerator(Config(2, 3, 4, 3, 3, 3, 3, 2))
    taught = Taught(teacher, edges2shoes("val", 4))
    with pytest.raises(KeyError):
        taught(torch.ones(1, 1, 32, 32))
