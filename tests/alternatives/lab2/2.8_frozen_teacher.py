"""The teacher is frozen and in evaluation mode: it is not trained any more."""

import torch.nn.functional as F


def consistency_loss(teacher, z, pictures, distance):
    picture = teacher.requires_grad_(False).eval()(z)
    loss = 0.0
    for size, small in pictures.items():
        target = picture if size == picture.shape[-1] else F.adaptive_avg_pool2d(picture, size)
        loss = loss + (small - target).pow(2).mean() + distance(small, target).mean()
    return loss
