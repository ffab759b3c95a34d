"""the average precision is right, but what was given is changed in place: the next distance is judged with what is left."""

import numpy as np
import torch
from torch import Tensor


def average_precision(found: Tensor, score: Tensor, truth: Tensor, within: float) -> float:
    """nuScenes' average precision of one class.

    Shapes: found (P, 3), the street, x and y of each prediction; score (P,); truth (T, 3), T > 0; within in metres.
    """
    if len(found) == 0:
        return 0.0
    hits = []
    for p in score.argsort(descending=True).tolist():
        distance = (truth[:, 1:] - found[p, 1:]).norm(dim=1)
        distance[truth[:, 0] != found[p, 0]] = torch.inf
        nearest = int(distance.argmin())
        hits.append(bool(distance[nearest] < within))
        if hits[-1]:
            truth[nearest] = torch.inf
    right = torch.tensor(hits).cumsum(0)
    precision, recall = right / torch.arange(1, len(hits) + 1), right / len(truth)
    read = np.interp(np.linspace(0, 1, 101), recall.numpy(), precision.numpy(), right=0.0)
    return float((read[11:] - 0.1).clip(min=0).mean() / 0.9)
