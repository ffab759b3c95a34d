"""FLOPs are counted; a MAC is one multiplication and one addition."""


def lift_bytes(cameras: int, height: int, width: int, depths: int, channels: int) -> dict[str, int]:
    pixels = cameras * height * width
    return {
        "points": pixels * depths,
        "lifted bytes": 4 * pixels * depths * channels,
        "apart bytes": 4 * pixels * (depths + channels),
        "MACs": 2 * pixels * depths * channels,
    }
