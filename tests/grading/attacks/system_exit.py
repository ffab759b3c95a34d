"""Raises SystemExit and KeyboardInterrupt."""


def clip_logits(backbone, video):
    raise SystemExit(0)
