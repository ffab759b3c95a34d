"""the frames were joined along the classes: `torch.stack` makes a new dimension for them, `torch.cat` does not."""

import torch


def stream_logits(net, video):
    net.reset()
    total, answers = 0, []
    for t in range(video.shape[1]):
        total = total + net(video[:, t])
        answers.append(total / (t + 1))
    return torch.cat(answers, 1)
