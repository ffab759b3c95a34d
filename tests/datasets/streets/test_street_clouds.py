"""Drawn streets as clouds: reproducible, labelled, and without a word on what is not there."""

import pytest
import torch

from efficientlab.datasets.streets.clouds import street_clouds
from efficientlab.datasets.streets.lidar import Lidar
from efficientlab.datasets.streets.things import LABELS


def test_the_first_of_many_are_those_of_few():
    few, many = (street_clouds("train", n, points=300) for n in (2, 3))
    assert few.points.shape == few.features.shape == (2, 3, 300)
    assert torch.equal(few.points, many.points[:2])
    assert torch.equal(few.part, many.part[:2])
    assert 0 <= few.part.min() <= few.part.max() < len(LABELS)


def test_splits_and_seeds_are_other_streets():
    first = street_clouds("train", 1, points=300).points
    assert not torch.equal(first, street_clouds("test", 1, points=300).points)
    assert not torch.equal(first, street_clouds("train", 1, points=300, seed=1).points)


def test_no_point_comes_twice():
    points = street_clouds("val", 1, points=1000).points[0]
    assert len(points.T.unique(dim=0)) == 1000


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(ValueError, match="split must be one of train, val, test; got 'dev'"):
        street_clouds("dev", 1)
    with pytest.raises(ValueError, match="scans and points must be positive; got 0 and 10"):
        street_clouds("train", 0, points=10)
    with pytest.raises(ValueError, match=r"a scan has \d+ points; 9,999 cannot be kept"):
        street_clouds("train", 1, points=9999, lidar=Lidar(beams=4, columns=20))
