"""Frame by frame, without folding."""

import torch


def clip_logits(backbone, video):
    return torch.stack([backbone(video[:, t]) for t in range(video.shape[1])]).mean(0)
