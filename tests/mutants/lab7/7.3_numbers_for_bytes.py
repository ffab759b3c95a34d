"""numbers are counted where bytes were asked for: each takes four."""


def lift_bytes(cameras: int, height: int, width: int, depths: int, channels: int) -> dict[str, int]:
    pixels = cameras * height * width
    return {
        "points": pixels * depths,
        "lifted bytes": pixels * depths * channels,
        "apart bytes": pixels * (depths + channels),
        "MACs": pixels * depths * channels,
    }
