"""Feature distillation: the student's residual stream is asked to hold what the teacher's holds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from efficientlab.models.gan.pix2pix import TAPS, TEACHER, ResNetGenerator
from efficientlab.models.gan.super_student import SlicedConv2d
from efficientlab.training.gan.conditional import Batch


class Distillation(nn.Module):
    """Σ_k ‖f_k(s_k) − t_k‖² / ‖t_k‖², where s_k and t_k are the streams of student and teacher at `pix2pix.TAPS`.

    The learnt 1×1 convolutions f_k stand on the student's side, because the two differ in channels. The division
    makes each term a relative error: the teacher's stream grows from block to block, and without it the last map
    would outweigh the rest. f_k slices its inputs, so it also serves a super student.

    Li et al., "GAN Compression" (CVPR 2020), whose terms are not divided.

    Args:
        teacher: frozen here, and used without gradients.
        stream: channels of the student's residual stream, the widest.
    """

    def __init__(self, teacher: ResNetGenerator, stream: int = TEACHER.stream) -> None:
        super().__init__()
        self._teacher = [teacher.eval().requires_grad_(False)]  # in a list: not a part of this module's state
        self.maps = nn.ModuleList(SlicedConv2d(stream, teacher.config.stream, 1) for _ in TAPS)

    def forward(self, batch: Batch) -> Tensor:
        """The loss of a batch, a scalar."""
        with torch.no_grad():
            _, wanted = self._teacher[0].with_features(batch.drawing)
        terms = [
            (f(s) - t).square().sum() / t.square().sum()
            for f, s, t in zip(self.maps, batch.features, wanted, strict=True)
        ]
        return torch.stack(terms).sum()
