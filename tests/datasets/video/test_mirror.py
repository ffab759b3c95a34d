import pytest
import torch

from efficientlab.datasets.video.arrowset import CLASS_NAMES
from efficientlab.datasets.video.mirror import mirror, mirror_classes, mirrored_name

PAIRS = [
    ("Swiping Left", "Swiping Right"),
    ("Sliding Two Fingers Right", "Sliding Two Fingers Left"),
    ("Turning Hand Clockwise", "Turning Hand Counterclockwise"),
    ("Pulling something from left to right", "Pulling something from right to left"),
    ("Turning the camera left while filming something", "Turning the camera right while filming something"),
]


@pytest.mark.parametrize(("name", "other"), PAIRS)
def test_direction_words_are_exchanged_both_ways(name, other):
    assert mirrored_name(name) == other
    assert mirrored_name(other) == name


@pytest.mark.parametrize(
    "name", ["Thumb Up", "Pushing something so that it falls", "copyright", "leftover soup", ""]
)
def test_a_name_without_direction_stays(name):
    assert mirrored_name(name) == name


@pytest.mark.parametrize("word", ["counter-clockwise", "counterclockwise", "anti-clockwise", "Anticlockwise"])
def test_every_spelling_of_counterclockwise_turns_into_clockwise(word):
    assert mirrored_name(f"rotate {word}").lower() == "rotate clockwise"


def test_classes_map_to_their_opposites_and_the_map_undoes_itself():
    classes = [name for pair in PAIRS for name in pair] + ["Thumb Up"]
    mirrored = mirror_classes(classes)
    assert mirrored.tolist() == [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 10]
    assert torch.equal(mirrored[mirrored], torch.arange(len(classes)))


def test_spelling_in_the_list_decides():
    mirrored = mirror_classes(["rotate clockwise", "rotate counter-clockwise", "rotate left"])
    assert mirrored.tolist() == [1, 0, -1]


def test_arrowset_in_a_mirror():
    seen = {CLASS_NAMES[i]: CLASS_NAMES[j] for i, j in enumerate(mirror_classes(CLASS_NAMES).tolist())}
    assert seen["move left"] == "move right"
    assert seen["rotate clockwise"] == "rotate counter-clockwise"
    assert seen["move up"] == "move up"


def test_no_classes():
    assert mirror_classes([]).shape == (0,)
    assert mirror_classes([]).dtype == torch.int64


def test_mirror_flips_the_width_and_the_label():
    clip = torch.arange(2 * 3 * 2 * 4, dtype=torch.uint8).reshape(2, 3, 2, 4)  # (T, 3, H, W)
    flipped, label = mirror(clip, 0, torch.tensor([1, 0]))
    assert label == 1
    assert flipped[1, 2, 1].tolist() == clip[1, 2, 1].tolist()[::-1]
    back, label = mirror(flipped, label, torch.tensor([1, 0]))
    assert label == 0
    assert torch.equal(back, clip)


def test_mirror_leaves_a_class_without_an_opposite_alone():
    clip = torch.arange(4.0)
    same, label = mirror(clip, 0, torch.tensor([-1]))
    assert label == 0
    assert torch.equal(same, clip)
