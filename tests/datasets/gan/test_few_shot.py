import pytest
import torch

from efficientlab.datasets.gan.few_shot import fashion_few_shot, people_few_shot


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
