"""these are averaged log-probabilities: the mean is taken over logits, without any softmax."""


def clip_logits(backbone, video):
    return backbone(video.flatten(0, 1)).log_softmax(-1).unflatten(0, video.shape[:2]).mean(1)
