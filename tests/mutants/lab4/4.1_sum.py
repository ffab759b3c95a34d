"""these are the frames' logits added up, not averaged: they grow with T."""


def clip_logits(backbone, video):
    n, t = video.shape[:2]
    return backbone(video.flatten(0, 1)).unflatten(0, (n, t)).sum(1)
