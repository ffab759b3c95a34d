"""The super-network of streets: the weights of the widest SPVCNN, of which a narrower one uses the first channels.

Tang et al., "Searching Efficient 3D Architectures with Sparse Point-Voxel Convolution" (ECCV 2020), whose search code
was not released; channels in fine steps and elastic depth as in its section 4.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.func import functional_call

from efficientlab.datasets.files import data_path
from efficientlab.models.streets.sparse_unet import Widths
from efficientlab.models.streets.spvcnn import SPVCNN
from efficientlab.models.weights import load_weights

SPACE = (
    (8, 10, 12, 14, 16),
    (12, 15, 18, 21, 24),
    (16, 20, 24, 28, 32),
    (16, 20, 24, 28, 32),
    (8, 10, 12, 14, 16),
    *((1, 2),) * 4,
)
"""For each field of `Widths` its choices: 50,000 networks."""
WIDEST = Widths(*(max(choices) for choices in SPACE))
UNIFORM = tuple(Widths(*widths, *(1,) * 4) for widths in zip(*SPACE[:5], strict=True))
"""All stages at the same share of their widest, one residual block each: what a search has to beat."""

JOINED = re.compile(r"(up\d)\.(voxel_layers\.)?blocks\.0\.(first\.conv|shortcut)\.weight")
"""The weights whose inputs are a concatenation of what comes up and the skip."""

SliceJoined = Callable[[Tensor, int, int, int, int], Tensor]


def slice_joined(weight: Tensor, up: int, skip: int, up_max: int, out: int) -> Tensor:
    """The inputs of a concatenation are two ranges: the first `up`, and `skip` from `up_max` on.

    Shapes: weight (K, C, D) → (K, up + skip, out).
    """
    return torch.cat([weight[:, :up, :out], weight[:, up_max : up_max + skip, :out]], 1)


def network(in_channels: int, classes: int, size: float, config: Widths = WIDEST) -> SPVCNN:
    """An SPVCNN of this configuration."""
    return SPVCNN(in_channels, classes, size, config)


def cut(
    held: Mapping[str, Tensor], narrow: SPVCNN, config: Widths, joined: SliceJoined = slice_joined
) -> dict[str, Tensor]:
    """Of a super-network's tensors the parts that `narrow`, a network of `config`, uses: slices, no copies.

    Args:
        held: the super-network's parameters, and its statistics if they are wanted, by name.
        narrow: says which names there are, and their shapes.
        config: not wider and not deeper than `WIDEST`.
        joined: cuts where a layer's inputs are two ranges.

    Raises:
        ValueError: a width is beyond the super-network's.
    """
    for name, choice, most in zip(Widths._fields, config, WIDEST, strict=True):
        if not 1 <= choice <= most:
            raise ValueError(f"{name} = {choice} is outside of the super-network's 1 to {most}.")
    joins = {"up1": (config.up1, config.down1, WIDEST.up1), "up2": (config.up2, config.stem, WIDEST.up2)}
    parts = {}
    for name, own in narrow.state_dict().items():
        if name not in held:
            continue
        found = JOINED.fullmatch(name)
        if found is None:
            parts[name] = held[name][tuple(slice(n) for n in own.shape)]
        elif own.ndim == 3:
            parts[name] = joined(held[name], *joins[found[1]], own.shape[2])
        else:  # a shortcut's matrix is (outputs, inputs)
            parts[name] = joined(held[name].T[None], *joins[found[1]], own.shape[0])[0].T
    return parts


def run_cut(
    super_network: SPVCNN, narrow: SPVCNN, config: Widths, features: Tensor, points: Tensor
) -> Tensor:
    """The logits of a narrow network with the super-network's weights; gradients reach the super-network."""
    weights = cut(dict(super_network.named_parameters()), narrow, config)
    logits: Tensor = functional_call(narrow, weights, (features, points))
    return logits


def extract(
    super_network: SPVCNN, narrow: SPVCNN, config: Widths, joined: SliceJoined = slice_joined
) -> SPVCNN:
    """Fills `narrow` with its part of the super-network, statistics of the batch norms included.

    Those are the widest network's, and wrong for a narrower one: see `training.streets.super_network.recalibrate`.
    """
    parts = cut(super_network.state_dict(), narrow, config, joined)
    narrow.load_state_dict({name: part.clone() for name, part in parts.items()})
    return narrow


def load_super_network(in_channels: int, classes: int, size: float) -> SPVCNN:
    """The shipped one, in evaluation mode; errors are those of `datasets.files.data_path`."""
    path = data_path("streets/super_network.safetensors")
    return load_weights(network(in_channels, classes, size), path, "network.")
