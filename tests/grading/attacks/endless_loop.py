"""Never ends, and ignores every signal that can be ignored."""

import signal


def clip_logits(backbone, video):
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        pass
