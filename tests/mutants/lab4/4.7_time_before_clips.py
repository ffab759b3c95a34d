"""the answer has time in front of the clips: stack the frames along dimension 1."""

import torch


def stream_logits(net, video):
    net.reset()
    out = torch.stack([net(video[:, t]) for t in range(video.shape[1])], 0)
    return out.cumsum(0) / torch.arange(1, video.shape[1] + 1).view(-1, 1, 1)
