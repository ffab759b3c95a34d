"""one MAC a point is counted; each point brings a number for every channel."""


def lift_bytes(cameras: int, height: int, width: int, depths: int, channels: int) -> dict[str, int]:
    pixels = cameras * height * width
    return {
        "points": pixels * depths,
        "lifted bytes": 4 * pixels * depths * channels,
        "apart bytes": 4 * pixels * (depths + channels),
        "MACs": pixels * depths,
    }
