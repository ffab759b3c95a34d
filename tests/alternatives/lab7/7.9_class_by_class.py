import torch
from torch import Tensor


def map_iou(
    val_logits: Tensor, val_truth: Tensor, test_logits: Tensor, test_truth: Tensor, thresholds: Tensor
) -> Tensor:
    """Class by class, with logits compared to the logits of the thresholds."""

    def iou(logits: Tensor, truth: Tensor, threshold: Tensor) -> float:
        said = logits > torch.logit(threshold)
        return (said & truth).sum().item() / (said | truth).sum().item()

    found = []
    for k in range(val_truth.shape[1]):
        best = max(thresholds, key=lambda t: iou(val_logits[:, k], val_truth[:, k], t))
        found.append(iou(test_logits[:, k], test_truth[:, k], best))
    return torch.tensor(found)
