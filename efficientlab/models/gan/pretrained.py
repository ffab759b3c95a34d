"""The shipped generators of lab 1: the teacher, its discriminator, and the super student.

`python -m efficientlab.training.gan.teacher` and `python -m efficientlab.training.gan.super_student` made the
weights; their logs stand beside them in ``data/gan``. Weights are stored in half precision and computed with in single.
"""

from __future__ import annotations

from typing import TypeVar

from torch import nn

from efficientlab.datasets.files import data_path
from efficientlab.models.gan.pix2pix import Layers, PatchDiscriminator, ResNetGenerator
from efficientlab.models.gan.super_student import SLICED, SuperStudent
from efficientlab.models.weights import load_weights

Net = TypeVar("Net", bound=nn.Module)


def load_teacher() -> ResNetGenerator:
    """The teacher, in evaluation mode; errors are those of `datasets.files.data_path`."""
    return _load(ResNetGenerator(), "gan/teacher.safetensors", "generator.")


def load_discriminator() -> PatchDiscriminator:
    """The discriminator that was trained with the teacher, in evaluation mode."""
    return _load(PatchDiscriminator(), "gan/teacher.safetensors", "discriminator.")


def load_super_student(layers: Layers = SLICED) -> SuperStudent:
    """The super student, built from `layers`, at its widest configuration and in evaluation mode."""
    return _load(SuperStudent(layers), "gan/super_student.safetensors", "generator.")


def _load(network: Net, name: str, prefix: str) -> Net:
    return load_weights(network, data_path(name), prefix)
