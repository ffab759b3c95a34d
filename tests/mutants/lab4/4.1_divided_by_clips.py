"""the sum over time was divided by the number of clips, where the number of frames belongs."""


def clip_logits(backbone, video):
    logits = backbone(video.flatten(0, 1)).unflatten(0, video.shape[:2])
    return logits.sum(1) / video.shape[0]
