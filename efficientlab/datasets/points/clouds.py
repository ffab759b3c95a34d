"""A batch of point clouds whose points carry labels: what every point-cloud set of the labs becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

IGNORED = -100
"""The label of a point that is neither learnt from nor counted: the one that PyTorch's cross-entropy leaves out."""


@dataclass(frozen=True)
class Clouds:
    """N clouds of P points; indexing with a slice or an index tensor gives another batch.

    Attributes:
        points: float32 (N, 3, P), coordinates.
        extra: float32 (N, F, P), what else is known of a point: normals, or colours.
        part: int64 (N, P), the label of each point; `IGNORED` where there is none.
        category: int64 (N,), the kind of object; 0 where there is one kind only.
    """

    points: Tensor
    extra: Tensor
    part: Tensor
    category: Tensor

    @property
    def features(self) -> Tensor:
        """(N, 3 + F, P): coordinates and the rest, which is what a network reads."""
        return torch.cat([self.points, self.extra], 1)

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: Any) -> Clouds:
        return Clouds(self.points[index], self.extra[index], self.part[index], self.category[index])

    def to(self, device: torch.device | str) -> Clouds:
        return Clouds(*(x.to(device) for x in (self.points, self.extra, self.part, self.category)))


@dataclass(frozen=True)
class PartNames:
    """The labels of a set: every category has parts of its own, numbered through all categories."""

    parts: Mapping[str, tuple[str, ...]]

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(self.parts)

    @property
    def names(self) -> tuple[str, ...]:
        """Of all parts, as "category part", by label."""
        return tuple(f"{category} {part}" for category, parts in self.parts.items() for part in parts)

    def label(self, category: str, part: str) -> int:
        return self.names.index(f"{category} {part}")

    def mask(self) -> Tensor:
        """bool (categories, parts): which labels belong to a category."""
        owner = [i for i, parts in enumerate(self.parts.values()) for _ in parts]
        return torch.arange(len(self.parts))[:, None] == torch.tensor(owner)
