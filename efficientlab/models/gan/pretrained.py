"""The shipped generators of lab 1: the teacher, its discriminator, and the super student.

`python -m efficientlab.training.gan.teacher` and `python -m efficientlab.training.gan.super_student` made the
weights; their logs stand beside them in ``data/gan``. Weights are stored in half precision and computed with in single.
"""

from __future__ import annotations

from efficientlab.datasets.files import data_path
from efficientlab.models.gan.pix2pix import Layers, PatchDiscriminator, ResNetGenerator
from efficientlab.models.gan.super_student import SLICED, SuperStudent
from efficientlab.models.weights import load_weights

TEACHER, SUPER_STUDENT = "gan/teacher.safetensors", "gan/super_student.safetensors"


def load_teacher() -> ResNetGenerator:
    """The teacher, in evaluation mode; errors are those of `datasets.files.data_path`."""
    return load_weights(ResNetGenerator(), data_path(TEACHER), "generator.")


def load_discriminator() -> PatchDiscriminator:
    """The discriminator that was trained with the teacher, in evaluation mode."""
    return load_weights(PatchDiscriminator(), data_path(TEACHER), "discriminator.")


def load_super_student(layers: Layers = SLICED) -> SuperStudent:
    """The super student, built from `layers`, at its widest configuration and in evaluation mode."""
    return load_weights(SuperStudent(layers), data_path(SUPER_STUDENT), "generator.")
