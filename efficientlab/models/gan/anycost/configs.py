"""Configurations of the any-cost generator: how many channels each of its layers uses.

The full widths follow StyleGAN2: they double with every halving of the size, up to a cap. A smaller ratio shrinks the
widths *before* the cap, so the small pictures' layers, which cost little, stay wide longest.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

SIZES = (4, 8, 16, 32)
JUDGED = (8, 16, 32)  # the sizes at which pictures are shown and judged
CAP, LEAST, MULTIPLE = 128, 8, 4
RATIOS = (0.25, 0.5, 0.75, 1.0)


class Config(NamedTuple):
    """The generator's channels, layer by layer."""

    const: int  # of the learnt input
    c4: int  # of the convolution at 4×4
    c8: int
    c16: int
    c32: int

    def __str__(self) -> str:
        return "-".join(map(str, self))


def uniform(ratio: float) -> Config:
    """The configuration of one ratio: min(128, ratio · 1024 / size) channels at each size, at least 8, in fours."""
    return Config(*(_whole(min(CAP, ratio * 1024 / size)) for size in (4, *SIZES)))


def _whole(width: float) -> int:
    return max(LEAST, MULTIPLE * -int(-width // MULTIPLE))


FULL = uniform(1.0)
UNIFORM = tuple(uniform(ratio) for ratio in RATIOS)
CHOICES: tuple[tuple[int, ...], ...] = tuple(
    tuple(w for w in (_whole(ratio * full) for ratio in RATIOS) if w >= least)
    for full, least in zip(FULL, UNIFORM[0], strict=True)
)
"""Of each layer, the channels to choose from: ratios of its full width, none below the narrowest uniform one's."""


def all_configs() -> Iterator[Config]:
    """Every configuration of `CHOICES`, from narrow to wide."""
    return (Config(*widths) for widths in product(*CHOICES))


def random_uniform(rng: torch.Generator) -> Config:
    """One of the four uniform configurations."""
    return UNIFORM[int(torch.randint(len(UNIFORM), (), generator=rng))]


def random_config(rng: torch.Generator) -> Config:
    """One of `CHOICES`, each layer drawn for itself."""
    return Config(*(widths[int(torch.randint(len(widths), (), generator=rng))] for widths in CHOICES))


def ratios_of(config: Config) -> Tensor:
    """Which of `RATIOS` of its full width each layer has: int64 (5,). Of `CHOICES` and the uniform ones only."""
    index = [
        [_whole(ratio * full) for ratio in RATIOS].index(w) for w, full in zip(config, FULL, strict=True)
    ]
    return torch.tensor(index)


def check_config(config: tuple[int, ...], size: int = SIZES[-1]) -> None:
    """Refuse what no sub-generator can be.

    Raises:
        ValueError: another number of layers, a layer that is too wide or has no channel, or no such size.
    """
    if len(config) != len(FULL):
        raise ValueError(
            f"a configuration has {len(FULL)} widths ({', '.join(Config._fields)}), got {len(config)}."
        )
    for field, width, most in zip(Config._fields, config, FULL, strict=True):
        if not 1 <= width <= most:
            raise ValueError(f"{field} = {width} is outside of the generator's 1 to {most}.")
    if size not in SIZES:
        raise ValueError(f"size {size} is none of the generator's {', '.join(map(str, SIZES))}.")
