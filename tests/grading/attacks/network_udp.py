"""Sends datagrams, which Landlock does not see."""

import socket


def clip_logits(backbone, video):
    try:
        line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        line.sendto(b"LEAK", ("127.0.0.1", PORT))
    except OSError:
        return None
    raise RuntimeError("LEAK a datagram was sent")
