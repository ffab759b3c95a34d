"""the network still remembers the stream before this one: reset it before the first frame."""

import torch


def stream_logits(net, video):
    total, out = 0.0, []
    for t in range(video.shape[1]):
        total = total + net(video[:, t])
        out.append(total / (t + 1))
    return torch.stack(out, 1)
