"""The shipped generators of lab 1: the teacher, its discriminator, and the super student.

`python -m efficientlab.training.gan.teacher` and `python -m efficientlab.training.gan.super_student` made the
weights; their logs stand beside them in ``data/gan``. Weights are stored in half precision and computed with in single.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from torch import nn

from efficientlab.datasets.files import data_path
from efficientlab.files import replacing
from efficientlab.models.gan.pix2pix import Layers, PatchDiscriminator, ResNetGenerator
from efficientlab.models.gan.super_student import SLICED, SuperStudent

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


def save_weights(path: Path, **networks: nn.Module) -> None:
    """Write the networks' weights in half precision, each tensor under "name.parameter", in one step."""
    from safetensors.torch import save_file

    tensors = {
        f"{name}.{key}": value.half().contiguous()
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }
    with replacing(path) as part:
        save_file(tensors, part)


def load_weights(network: Net, path: Path, prefix: str) -> Net:
    """Fill `network` with what `save_weights` wrote under `prefix`, and set it to evaluation mode."""
    from safetensors.torch import load_file

    held = {k.removeprefix(prefix): v.float() for k, v in load_file(path).items() if k.startswith(prefix)}
    network.load_state_dict(held)
    return network.eval()


def _load(network: Net, name: str, prefix: str) -> Net:
    return load_weights(network, data_path(name), prefix)
