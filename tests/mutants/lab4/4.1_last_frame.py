"""these are the logits of the last frame alone."""


def clip_logits(backbone, video):
    n, t = video.shape[:2]
    return backbone(video.flatten(0, 1)).unflatten(0, (n, t))[:, -1]
