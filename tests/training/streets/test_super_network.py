"""Training parts of one network, and batch norms measured anew."""

import pytest
import torch

from efficientlab.datasets.streets.clouds import street_clouds
from efficientlab.models.streets.super_network import SPACE, network
from efficientlab.training.streets.super_network import (
    Recipe,
    random_config,
    recalibrate,
    train_super_network,
)


@pytest.mark.slow
def test_a_super_network_learns():
    clouds = street_clouds("train", 4, points=200)
    _, run = train_super_network(clouds, Recipe(size=1.0, epochs=6, batch=2))
    assert len(run.losses) == 12
    assert sum(run.losses[-3:]) < sum(run.losses[:3])


def test_configurations_are_drawn_evenly_and_repeatably():
    drawn = [random_config(torch.Generator().manual_seed(seed)) for seed in range(300)]
    assert drawn[0] == random_config(torch.Generator().manual_seed(0))
    for choices, values in zip(SPACE, zip(*drawn, strict=True), strict=True):
        assert set(values) == set(choices)


def test_recalibration_measures_what_passes():
    clouds = street_clouds("train", 4, points=200)
    torch.manual_seed(0)
    net = network(3, 5, 1.0)
    weights = [p.clone() for p in net.parameters()]
    recalibrate(net, clouds, batch=4)
    assert not net.training
    first = net.stem.point_layers
    x = first[0](clouds.features.mT.flatten(0, 1))
    torch.testing.assert_close(first[1].running_mean, x.mean(0), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(first[1].running_var, x.var(0), rtol=1e-3, atol=1e-3)
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), weights, strict=True))
    once = first[1].running_mean.clone()
    recalibrate(net, clouds, batch=4)  # nothing of before is left
    torch.testing.assert_close(first[1].running_mean, once)
