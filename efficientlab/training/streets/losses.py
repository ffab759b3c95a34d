"""The losses of the three outputs."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from efficientlab.models.streets.bevfusion import Outputs
from efficientlab.training.streets.targets import Targets

BOX_WEIGHT, MAP_WEIGHT = 0.25, 40.0


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """Penalty-reduced focal loss over all cells, divided by the number of centres.

    −(1 − p)² log p at centres, and −(1 − t)⁴ p² log(1 − p) elsewhere, where t is the heat.

    Lin et al., "Focal Loss for Dense Object Detection" (ICCV 2017); Law and Deng, "CornerNet" (ECCV 2018).
    """
    p = logits.sigmoid()
    centre = heat == 1
    found = (1 - p) ** 2 * F.logsigmoid(logits) * centre
    quiet = (1 - heat) ** 4 * p**2 * F.logsigmoid(-logits) * ~centre
    return -(found + quiet).sum() / centre.sum().clamp(min=1)


def box_loss(box: Tensor, targets: Targets) -> Tensor:
    """L1 at the centres' cells alone, summed over the 8 numbers, in the mean over boxes."""
    own = box.flatten(2)[targets.street, :, targets.cell]  # (T, 8)
    return (own - targets.box).abs().sum() / max(1, len(own))


def map_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Sigmoid focal loss (γ = 2), in the mean over cells and classes."""
    error = F.binary_cross_entropy_with_logits(logits, truth.to(logits), reduction="none")
    p = logits.sigmoid()
    wrong = (p - truth.to(logits)).abs()
    return (wrong**2 * error).mean()


def losses(outputs: Outputs, targets: Targets, truth: Tensor) -> dict[str, Tensor]:
    """Weighted, by name; their sum is what is trained."""
    return {
        "heat": heat_loss(outputs.heat, targets.heat),
        "box": BOX_WEIGHT * box_loss(outputs.box, targets),
        "map": MAP_WEIGHT * map_loss(outputs.map, truth),
    }
