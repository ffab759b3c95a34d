import json

import pytest
import torch

from efficientlab.datasets.fashion import fashion_pictures, load_sprites
from efficientlab.datasets.files import data_path
from efficientlab.models.gan.features import FeatureNet, load_features
from efficientlab.training.gan.distances import fid, kid
from efficientlab.training.gan.features import accuracy, train_features


def shipped(split: str) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = load_sprites(split)
    return fashion_pictures(torch.tensor(images)), torch.tensor(labels)


def test_pictures_are_padded_and_scaled():
    images = torch.zeros(1, 28, 28, dtype=torch.uint8)
    images[0, 0, 0], images[0, 27, 27] = 255, 51
    x = fashion_pictures(images)
    assert x.shape == (1, 1, 32, 32)
    assert x[0, 0, 2, 2] == 1 and x[0, 0, 29, 29] == pytest.approx(-0.6)
    assert (x == -1).sum() == 32 * 32 - 2
    assert images[0, 0, 0] == 255


def test_the_shipped_network_is_the_one_of_its_log():
    network = load_features()
    log = json.loads(data_path("features/fashion.json").read_text(encoding="utf-8"))
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
    assert sum(p.numel() for p in network.parameters()) == log["parameters"]
    pictures, labels = shipped("test")  # 480 of the 10,000 of the log
    assert network(pictures[:3]).shape == (3, 64)
    assert accuracy(network, pictures, labels) == pytest.approx(log["test_accuracy"], abs=0.03)
    assert log["test_accuracy"] > 0.88


def test_shapes_of_maps():
    maps = load_features().maps(torch.zeros(2, 1, 32, 32))
    assert [tuple(m.shape[1:]) for m in maps] == [(16, 32, 32), (32, 16, 16), (64, 8, 8)]


@pytest.mark.slow
def test_pictures_come_to_where_the_network_is():
    network = FeatureNet().to("meta")
    assert network.logits(torch.zeros(2, 1, 8, 8)).device.type == "meta"


@pytest.mark.slow
def test_the_features_rank_damage():
    network, (real, _), (other, _) = load_features(), shipped("train"), shipped("val")
    rng = torch.Generator().manual_seed(0)
    noise = torch.randn(other.shape, generator=rng)
    sets = [other, (other + 0.1 * noise).clamp(-1, 1), (other + 0.5 * noise).clamp(-1, 1), noise]
    for metric in (fid, kid):
        values = [metric(real, x, network) for x in sets]
        assert values == sorted(values)
        assert values[1] > 2 * values[0]


def test_features_mend_bad_input():
    network = FeatureNet(3)
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\), got shape \(2, 1, 8, 8\)"):
        network(torch.zeros(2, 1, 8, 8))
    with pytest.raises(TypeError, match=r"uint8"):
        network(torch.zeros(2, 3, 8, 8, dtype=torch.uint8))
    with pytest.raises(FileNotFoundError, match="no shipped data file"):
        load_features("photographs")


def test_training_is_seeded_and_learns():
    rng = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (96,), generator=rng)
    pictures = torch.randn(96, 1, 8, 8, generator=rng) * 0.1 + labels[:, None, None, None] - 0.5
    state = torch.get_rng_state()
    network, log = train_features((pictures, labels), (pictures, labels), epochs=6, batch=32, seed=3)
    again, _ = train_features((pictures, labels), (pictures, labels), epochs=6, batch=32, seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert log.test_accuracy > 0.95
    assert log.losses[-1] < log.losses[0]
    for key, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])
    with pytest.raises(ValueError, match="at least one batch of 128 pictures, got 96"):
        train_features((pictures, labels), (pictures, labels))
