"""Loops, and catches whatever would end the loop."""


def clip_logits(backbone, video):
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue
