"""The trained generators of lab 2: the full one, its discriminator, and the flexible one.

`python -m efficientlab.training.gan.anycost.teacher` and `…anycost.flexible` make the weights, and their logs beside
them in ``data/gan``. Weights are stored in half precision and computed with in single.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from efficientlab.datasets.files import data_path
from efficientlab.models.gan.anycost.discriminator import AnycostDiscriminator, Conditioning
from efficientlab.models.gan.anycost.generator import AnycostGenerator
from efficientlab.models.weights import load_weights

TEACHER, FLEXIBLE = "gan/anycost_teacher.safetensors", "gan/anycost_flexible.safetensors"


def load_anycost_teacher(build: Callable[[], AnycostGenerator] = AnycostGenerator) -> AnycostGenerator:
    """The generator that was trained at full width and size alone; errors are those of `datasets.files.data_path`.

    Args:
        build: makes the network to fill; the lab's is built from the student's own functions.
    """
    return load_weights(build(), data_path(TEACHER), "generator.")


def load_anycost_discriminator(
    conditioning: Callable[[int], nn.Module] = Conditioning,
) -> AnycostDiscriminator:
    """The discriminator that was trained with it; its conditioning is neutral, as it began."""
    return load_weights(AnycostDiscriminator(conditioning), data_path(TEACHER), "discriminator.")


def load_anycost_flexible(build: Callable[[], AnycostGenerator] = AnycostGenerator) -> AnycostGenerator:
    """The generator that was trained in every configuration."""
    return load_weights(build(), data_path(FLEXIBLE), "generator.")
