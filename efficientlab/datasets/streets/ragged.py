"""Rows that belong to N scenes, more of them to some than to others: points of sweeps, boxes around things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Ragged:
    """All rows, scene by scene. `len` counts the scenes; a slice or an index tensor chooses scenes.

    Attributes:
        rows: (Σ, F).
        sizes: int64 (N,), how many rows each scene has.
    """

    rows: Tensor
    sizes: Tensor

    def __post_init__(self) -> None:
        if self.sizes.ndim != 1 or int(self.sizes.sum()) != len(self.rows):
            raise ValueError(
                f"the sizes add up to {int(self.sizes.sum())}, but there are {len(self.rows)} rows"
            )
        if self.sizes.is_floating_point() or (self.sizes < 0).any():
            raise ValueError(f"sizes must be whole numbers from 0, got {self.sizes.tolist()}")

    @staticmethod
    def of(parts: Sequence[Tensor]) -> Ragged:
        """Puts the rows (n, F) of one scene after those of another."""
        return Ragged(torch.cat(list(parts)), torch.tensor([len(p) for p in parts]))

    @property
    def scene(self) -> Tensor:
        """int64 (Σ,): the number of the scene that each row belongs to."""
        return torch.arange(len(self), device=self.rows.device).repeat_interleave(self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, index: Any) -> Ragged:
        chosen = torch.arange(len(self), device=self.sizes.device)[index]
        sizes = self.sizes[chosen]
        start = (self.sizes.cumsum(0) - self.sizes)[chosen]
        shift = (start - sizes.cumsum(0) + sizes).repeat_interleave(sizes)
        return Ragged(self.rows[torch.arange(len(shift), device=shift.device) + shift], sizes)

    def where(self, keep: Tensor) -> Ragged:
        """Only the rows for which bool (Σ,) holds."""
        sizes = torch.zeros_like(self.sizes).index_add_(0, self.scene, keep.long())
        return Ragged(self.rows[keep], sizes)

    def unbind(self) -> tuple[Tensor, ...]:
        """The rows (n, F) of each scene."""
        return self.rows.split(self.sizes.tolist())

    def to(self, device: torch.device | str) -> Ragged:
        return Ragged(self.rows.to(device), self.sizes.to(device))
