"""In single precision by numpy, whose number is returned as it is; truths that are taken are struck from a table."""

import numpy as np


def average_precision(found, score, truth, within):
    far = np.linalg.norm(found.numpy()[:, None, 1:] - truth.numpy()[None, :, 1:], axis=2)
    far[found.numpy()[:, None, 0] != truth.numpy()[None, :, 0]] = np.inf
    hits = np.zeros(len(found))
    for place, p in enumerate(np.argsort(-score.numpy(), kind="stable")):
        nearest = far[p].argmin()
        if far[p, nearest] < within:
            hits[place] = 1
            far[:, nearest] = np.inf
    if not len(hits):
        return np.float32(0)
    right = hits.cumsum()
    precision = right / np.arange(1, len(hits) + 1)
    read = np.interp(np.arange(101) / 100, right / len(truth), precision, right=0)
    return np.float32(np.maximum(read[11:] - 0.1, 0).mean() / 0.9)
