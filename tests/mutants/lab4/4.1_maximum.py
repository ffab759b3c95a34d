"""these are the largest logits over time, not their mean."""


def clip_logits(backbone, video):
    n, t = video.shape[:2]
    return backbone(video.flatten(0, 1)).unflatten(0, (n, t)).amax(1)
