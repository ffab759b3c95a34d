"""Weights that ship: stored in half precision, computed with in single."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from torch import nn

from efficientlab.files import replacing

Net = TypeVar("Net", bound=nn.Module)


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
