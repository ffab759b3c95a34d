"""these are averaged probabilities: the mean is taken over logits, before any softmax."""


def clip_logits(backbone, video):
    n, t = video.shape[:2]
    return backbone(video.flatten(0, 1)).unflatten(0, (n, t)).softmax(-1).mean(1)
