"""precision is raised to the best at any higher recall, as in other benchmarks; nuScenes reads it as it is."""

import numpy as np
import torch
from torch import Tensor


def average_precision(found: Tensor, score: Tensor, truth: Tensor, within: float) -> float:
    if len(found) == 0:
        return 0.0
    taken = torch.zeros(len(truth), dtype=torch.bool)
    hits = []
    for p in score.argsort(descending=True).tolist():
        distance = (truth[:, 1:] - found[p, 1:]).norm(dim=1)
        distance[taken | (truth[:, 0] != found[p, 0])] = torch.inf
        nearest = int(distance.argmin())
        hits.append(bool(distance[nearest] < within))
        taken[nearest] |= hits[-1]
    right = torch.tensor(hits).cumsum(0)
    precision, recall = right / torch.arange(1, len(hits) + 1), right / len(truth)
    best = np.maximum.accumulate(precision.numpy()[::-1])[::-1]
    read = np.interp(np.linspace(0, 1, 101), recall.numpy(), best, right=0.0)
    return float(np.clip(read[11:] - 0.1, 0, None).mean() / 0.9)
