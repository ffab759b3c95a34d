"""both areas are added for the union, so what they share is counted twice."""

from torch import Tensor


def map_iou(
    val_logits: Tensor, val_truth: Tensor, test_logits: Tensor, test_truth: Tensor, thresholds: Tensor
) -> Tensor:
    def table(logits: Tensor, truth: Tensor) -> Tensor:
        said = logits.sigmoid()[..., None] > thresholds  # (N, K, X, Y, T)
        both = (said & truth[..., None]).sum((0, 2, 3))
        return both / (said.sum((0, 2, 3)) + truth[..., None].sum((0, 2, 3)))  # (K, T)

    best = table(val_logits, val_truth).argmax(1)  # (K,)
    return table(test_logits, test_truth).gather(1, best[:, None])[:, 0]
