"""every pixel gives a point for each depth."""


def lift_bytes(cameras: int, height: int, width: int, depths: int, channels: int) -> dict[str, int]:
    pixels = cameras * height * width
    return {
        "points": pixels,
        "lifted bytes": 4 * pixels * depths * channels,
        "apart bytes": 4 * pixels * (depths + channels),
        "MACs": pixels * depths * channels,
    }
