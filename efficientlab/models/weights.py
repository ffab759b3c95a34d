"""Weights that ship: stored in half precision, computed with in single."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from torch import nn

from efficientlab.files import replacing

Net = TypeVar("Net", bound=nn.Module)


def save_weights(path: Path, **networks: nn.Module) -> None:
    """Write the networks' weights in half precision, each tensor under "name.parameter", in one step.

    Whole numbers, such as how many batches a normalisation has seen, are kept as they are.

    Raises:
        ValueError: a weight is not finite, or is too large for half precision.
    """
    from safetensors.torch import save_file

    tensors = {}
    for name, network in networks.items():
        for key, value in network.state_dict().items():
            kept = value.half() if value.is_floating_point() else value
            if not kept.isfinite().all():
                raise ValueError(
                    f"{name}.{key} is not finite in half precision, largest {value.abs().max():g}"
                )
            tensors[f"{name}.{key}"] = kept.contiguous()
    with replacing(path) as part:
        save_file(tensors, part)


def load_weights(network: Net, path: Path, prefix: str) -> Net:
    """Fill `network` with what `save_weights` wrote under `prefix`, and set it to evaluation mode.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no file of weights, or its weights are another network's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
        held = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        network.load_state_dict(held)  # which are copied, and so become single again
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(
            f"{path} does not hold the weights of {prefix!r} {type(network).__name__}: {error}"
        ) from error
    return network.eval()
