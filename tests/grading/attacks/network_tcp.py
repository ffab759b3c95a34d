"""Opens a connection to this machine and to the world."""

import socket


def clip_logits(backbone, video):
    for host, port in (("127.0.0.1", PORT), ("1.1.1.1", 53), ("localhost", 22)):
        try:
            socket.create_connection((host, port), timeout=0.5)
        except OSError:
            continue
        raise RuntimeError(f"LEAK a connection to {host}:{port}")
    return None
