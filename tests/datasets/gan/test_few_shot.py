import json

import pytest
import torch

from efficientlab.datasets.files import data_path
from efficientlab.datasets.gan.few_shot import fashion_few_shot, people_few_shot
from efficientlab.models.gan.features import load_features
from efficientlab.training.gan.distances import fid


def rows(pictures):
    return {picture.numpy().tobytes() for picture in pictures}


@pytest.mark.parametrize(
    ("load", "channels", "held_out", "test"),
    [(fashion_few_shot, 1, 1100, 480), (people_few_shot, 3, 150, 100)],
)
def test_sets_are_apart_and_nested(load, channels, held_out, test):
    few, many = load(100), load(500)
    assert few.train.shape == (100, channels, 32, 32)
    assert many.train.shape == (500, channels, 32, 32)
    assert few.held_out.shape == (held_out, channels, 32, 32)
    assert few.test.shape == (test, channels, 32, 32)
    assert rows(few.train) < rows(many.train)
    assert torch.equal(few.held_out, many.held_out) and torch.equal(few.test, many.test)
    assert not rows(many.train) & (rows(many.held_out) | rows(many.test))
    assert not rows(many.held_out) & rows(many.test)
    for pictures in few:
        assert pictures.dtype == torch.float32
        assert pictures.min() == -1 and pictures.max() == 1


def test_people_are_whole_tiles_on_white():
    people = people_few_shot(500)
    corners = torch.stack([people.train[:, :, i, j] for i in (0, -1) for j in (0, -1)])
    assert (corners[:2] > 0.9).float().mean() > 0.9  # above the shoulders is white
    assert people.train.std((1, 2, 3)).min() > 0.2  # no empty tile
    assert (people.train[:, 0] - people.train[:, 2]).abs().mean() > 0.05  # in colour


def test_bad_sizes_are_named():
    for n in (0, 5, 101, 510):
        with pytest.raises(ValueError, match=f"multiple of 10 from 10 to 500, got {n}"):
            fashion_few_shot(n)
    for n in (0, 501):
        with pytest.raises(ValueError, match=f"from 1 to 500, got {n}"):
            people_few_shot(n)


def test_real_pictures_are_as_near_as_lab_3_says():
    clothes, features = fashion_few_shot(100), load_features()
    runs = json.loads(data_path("few_shot_runs.json").read_text(encoding="utf-8"))["runs"]
    assert fid(clothes.test, clothes.held_out, features) == pytest.approx(0.1, abs=0.05)
    copied = fid(clothes.test, clothes.train, features)
    assert copied == pytest.approx(0.4, abs=0.05)
    assert copied < min(run["test_fid"] for run in runs)
