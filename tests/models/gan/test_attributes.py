import json

import pytest
import torch

from efficientlab.datasets.files import data_path
from efficientlab.datasets.gan.avatars import ATTRIBUTES, load_avatars
from efficientlab.models.gan.attributes import (
    CLASSES,
    attribute_accuracy,
    attribute_loss,
    read_attributes,
    split_scores,
    targets,
    to_pixels,
)
from efficientlab.models.gan.features import load_features
from efficientlab.training.gan.distances import fid, perceptual_distance


def test_the_shipped_classifier_reads_pictures_that_it_has_not_seen():
    network, test = load_features("avatars"), load_avatars("test")
    log = json.loads(data_path("features/avatars.json").read_text(encoding="utf-8"))
    assert not network.training and sum(p.numel() for p in network.parameters()) == log["parameters"]
    accuracy = attribute_accuracy(network, to_pixels(test.pictures), targets(test))
    assert accuracy == pytest.approx(log["test_accuracy"], abs=0.01) and accuracy > 0.99
    seen = read_attributes(network, to_pixels(test.pictures[:100]))
    assert list(seen) == [*ATTRIBUTES, "skin"]
    assert (seen["skin"] - test.skin[:100]).abs().mean() < 0.05


@pytest.mark.slow
def test_its_features_rank_damage_and_small_changes_of_a_person():
    network = load_features("avatars")
    real, other = (to_pixels(load_avatars(s).pictures[:400]) for s in ("val", "test"))
    noise = torch.randn(other.shape, generator=torch.Generator().manual_seed(0))
    values = [fid(real, (other + amount * noise).clamp(-1, 1), network) for amount in (0, 0.4, 0.8)]
    assert values == sorted(values) and values[1] > 2 * values[0]
    near, far = (
        perceptual_distance(real[:50], x, network).mean()
        for x in (real[:50] + 0.05 * noise[:50], real[50:100])
    )
    assert near < 0.5 * far


def test_the_loss_takes_each_attribute_alone_and_no_hidden_eyes():
    avatars = load_avatars("val")
    target = targets(avatars)[:6]
    scores = torch.zeros(6, CLASSES, requires_grad=True)
    by_name = split_scores(scores)
    assert {name: part.shape[1] for name, part in by_name.items() if name != "skin"} == {
        name: len(values) for name, values in ATTRIBUTES.items()
    }
    attribute_loss(scores, target).backward()
    gradient = split_scores(scores.grad)
    glasses = avatars.attribute("glasses")[:6] == 1
    assert glasses.any() and (~glasses).any()
    assert (gradient["eyes"][glasses] == 0).all() and (gradient["eyes"][~glasses] != 0).all()
    for name in ("hair", "mouth", "glasses", "colour"):
        torch.testing.assert_close(gradient[name].sum(1), torch.zeros(6))
    right = torch.full((6, CLASSES), -20.0)
    parts = split_scores(right)
    for i, name in enumerate(ATTRIBUTES):
        parts[name][torch.arange(6), target[:, i].long()] = 20.0
    parts["skin"].copy_(target[:, -1])
    assert attribute_loss(right, target).item() == pytest.approx(0, abs=1e-6)
