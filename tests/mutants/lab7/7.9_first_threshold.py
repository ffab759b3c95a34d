"""the first threshold is taken for all classes."""

import torch
from torch import Tensor


def map_iou(
    val_logits: Tensor, val_truth: Tensor, test_logits: Tensor, test_truth: Tensor, thresholds: Tensor
) -> Tensor:
    def table(logits: Tensor, truth: Tensor) -> Tensor:
        said = logits.sigmoid()[..., None] > thresholds  # (N, K, X, Y, T)
        both = (said & truth[..., None]).sum((0, 2, 3))
        return both / (said | truth[..., None]).sum((0, 2, 3))  # (K, T)

    best = torch.zeros(test_truth.shape[1]).long()  # (K,)
    return table(test_logits, test_truth).gather(1, best[:, None])[:, 0]
