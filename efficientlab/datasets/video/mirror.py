"""What a mirrored clip shows: the class that a horizontal flip turns each class into.

A flip turns "Swiping Left" into "Swiping Right", so an augmentation that flips the clip and keeps the label
teaches the wrong thing. TSM (Lin, Gan & Han, ICCV 2019) therefore never flips Jester and Something-Something.
Flipping the label along with the clip is exact, and keeps the augmentation.
"""

import re
from collections.abc import Sequence

import torch
from torch import Tensor

_OPPOSITE = {
    "left": "right",
    "right": "left",
    "clockwise": "counterclockwise",
    "counterclockwise": "clockwise",
}
_DIRECTION = re.compile(r"\b(left|right|clockwise|(?:counter|anti)-?clockwise)\b", re.IGNORECASE)
_NEVER = -1


def mirrored_name(name: str) -> str:
    """The label with left and right, clockwise and counterclockwise exchanged; if it has neither, the label.

    >>> mirrored_name("Pushing something from left to right")
    'Pushing something from right to left'
    """

    def opposite(match: re.Match[str]) -> str:
        word = _OPPOSITE[_one_spelling(match[0])]
        return word.capitalize() if match[0][0].isupper() else word

    return _DIRECTION.sub(opposite, name)


def mirror_classes(classes: Sequence[str]) -> Tensor:
    """The class that each class becomes in a mirror: int64 (len(classes),).

    A class without a direction becomes itself. A class whose opposite is not in the list gets -1: a clip of
    it must not be flipped.
    """
    index = {_one_spelling(name): i for i, name in enumerate(classes)}
    mirrored = [index.get(_one_spelling(mirrored_name(name)), _NEVER) for name in classes]
    return torch.tensor(mirrored, dtype=torch.int64)


def mirror(clip: Tensor, label: int, mirrored: Tensor) -> tuple[Tensor, int]:
    """The clip (…, W) flipped horizontally, and its new label; both unchanged if the class allows no flip.

    Args:
        clip: any tensor whose last dimension is the width.
        label: the clip's class.
        mirrored: what `mirror_classes` gives for the list of classes.
    """
    flipped_label = int(mirrored[label])
    return (clip, label) if flipped_label == _NEVER else (clip.flip(-1), flipped_label)


def _one_spelling(text: str) -> str:
    return re.sub(r"(counter|anti)-?clockwise", "counterclockwise", text.lower())
