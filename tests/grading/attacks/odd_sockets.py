"""Opens raw, packet, netlink, vsock and crypto sockets."""

import socket


def clip_logits(backbone, video):
    for family, kind in ((16, 3), (17, 3), (40, 1), (38, 5), (2, 3), (31, 3)):
        try:
            socket.socket(family, kind)
        except OSError:
            continue
        raise RuntimeError(f"LEAK a socket of family {family}")
    return None
