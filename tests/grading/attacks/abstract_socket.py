"""Connects to abstract Unix sockets, which have no place on the disk."""

import socket


def clip_logits(backbone, video):
    try:
        line = socket.socket(socket.AF_UNIX)
        line.connect("\0efficientlab-attack-" + str(PORT))
    except OSError:
        return None
    raise RuntimeError("LEAK a connection to an abstract socket")
