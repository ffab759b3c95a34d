"""The teacher is detached, and the squares are written out."""

import torch.nn.functional as F


def consistency_loss(teacher, z, pictures, distance):
    target = teacher(z).detach()
    total = 0
    for size in sorted(pictures):
        small = F.adaptive_avg_pool2d(target, size)
        total = total + (pictures[size] - small).square().mean()
        total = total + distance(pictures[size], small).sum() / len(z)
    return total
