"""Returns a view that is 4 TB large and takes 4 bytes."""

import torch


def clip_logits(backbone, video):
    return torch.zeros(1).expand(10**12)
