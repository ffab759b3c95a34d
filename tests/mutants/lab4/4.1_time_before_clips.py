"""these are logits averaged over frames of different clips: the unfolding put time before the clips."""


def clip_logits(backbone, video):
    n, t = video.shape[:2]
    return backbone(video.flatten(0, 1)).reshape(t, n, -1).mean(0)
