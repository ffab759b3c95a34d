"""A teacher that answers each drawing once, however many students and steps ask about it."""

from __future__ import annotations

import torch
from torch import Tensor

from efficientlab.datasets.gan.edges import Pairs, to_pixels
from efficientlab.models.gan.pix2pix import ResNetGenerator


class Taught:
    """The teacher's features of every drawing of a set, computed in advance and looked up by the drawing itself.

    Distillation asks a fixed teacher about a fixed set. In a short training of small students these answers take
    more time than everything else; kept, they take memory: K · C · H · W numbers a drawing, 98 KB for lab 1's teacher.

    Args:
        teacher: its features are kept on its device.
        pairs: whose drawings will be asked about, uint8, 0 or 255.
    """

    def __init__(self, teacher: ResNetGenerator, pairs: Pairs, *, batch: int = 100) -> None:
        device = next(teacher.parameters()).device
        with torch.no_grad():
            parts = [teacher.with_features(to_pixels(x.to(device)))[1] for x in pairs.drawing.split(batch)]
        self.features = [
            torch.cat(stage) for stage in zip(*parts, strict=True)
        ]  # K times (len(pairs), C, H, W)
        self._row = {key: i for i, key in enumerate(_keys(pairs.drawing))}

    def __call__(self, drawing: Tensor) -> list[Tensor]:
        """K features of drawings (N, 1, H, W) in [−1, 1]; KeyError for one that is not in the set."""
        rows = [self._row[key] for key in _keys(drawing)]
        return [stage[rows] for stage in self.features]


def _keys(drawing: Tensor) -> list[bytes]:
    """What tells one drawing from another: where its lines are."""
    return [row.tobytes() for row in drawing.gt(0).cpu().numpy()]
