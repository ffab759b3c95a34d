import math

from torch import Tensor


def average_precision(found: Tensor, score: Tensor, truth: Tensor, within: float) -> float:
    """With lists, and the straight lines between recalls drawn by hand."""
    free = truth.tolist()
    curve, right = [], 0
    for rank, (_, box) in enumerate(sorted(zip((-score).tolist(), found.tolist(), strict=True)), 1):
        near = [(math.dist(t[1:], box[1:]), t) for t in free if t[0] == box[0]]
        if near and min(near)[0] < within:
            free.remove(min(near)[1])
            right += 1
        curve.append((right / len(truth), right / rank))
    total = 0.0
    for r in (k / 100 for k in range(11, 101)):
        after = [k for k, (recall, _) in enumerate(curve) if recall > r]
        until = [k for k, (recall, _) in enumerate(curve) if recall <= r]
        if until and abs(curve[until[-1]][0] - r) < 1e-12:
            value = curve[until[-1]][1]
        elif not after:
            value = 0.0
        elif not until:
            value = curve[0][1]
        else:
            (r0, p0), (r1, p1) = curve[until[-1]], curve[after[0]]
            value = p0 + (p1 - p0) * (r - r0) / (r1 - r0)
        total += max(0.0, value - 0.1)
    return total / 90 / 0.9
