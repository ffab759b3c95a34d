"""these are means over the clips: the average must go over time, and leave one row for each clip."""


def clip_logits(backbone, video):
    n, t = video.shape[:2]
    return backbone(video.flatten(0, 1)).unflatten(0, (n, t)).mean(0)
