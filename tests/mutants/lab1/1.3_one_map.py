"""one and the same map serves all taps: each has its own."""

import torch
from torch import Tensor, nn


class Distillation(nn.Module):
    """Σ_k ‖f_k(s_k) − t_k‖² / ‖t_k‖² with learnt 1×1 maps f_k from the student's channels to the teacher's.

    Shapes: K student features (N, C_k, H_k, W_k), K teacher features (N, C'_k, H_k, W_k); returns a scalar.
    """

    def __init__(self, student_channels: list[int], teacher_channels: list[int]) -> None:
        super().__init__()
        f = nn.Conv2d(student_channels[0], teacher_channels[0], 1)
        self.maps = nn.ModuleList([f] * len(student_channels))

    def forward(self, student_features: list[Tensor], teacher_features: list[Tensor]) -> Tensor:
        total = torch.zeros(())
        for f, s, t in zip(self.maps, student_features, teacher_features, strict=True):
            t = t.detach()
            total = total.to(t.device) + (f(s) - t).square().sum() / t.square().sum()
        return total
