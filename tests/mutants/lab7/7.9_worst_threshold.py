"""the worst threshold on validation is taken."""

from torch import Tensor


def map_iou(
    val_logits: Tensor, val_truth: Tensor, test_logits: Tensor, test_truth: Tensor, thresholds: Tensor
) -> Tensor:
    def table(logits: Tensor, truth: Tensor) -> Tensor:
        said = logits.sigmoid()[..., None] > thresholds  # (N, K, X, Y, T)
        both = (said & truth[..., None]).sum((0, 2, 3))
        return both / (said | truth[..., None]).sum((0, 2, 3))  # (K, T)

    best = table(val_logits, val_truth).argmin(1)  # (K,)
    return table(test_logits, test_truth).gather(1, best[:, None])[:, 0]
