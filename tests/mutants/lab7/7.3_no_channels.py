"""the lifted tensor is counted without its channels."""


def lift_bytes(cameras: int, height: int, width: int, depths: int, channels: int) -> dict[str, int]:
    pixels = cameras * height * width
    return {
        "points": pixels * depths,
        "lifted bytes": 4 * pixels * depths,
        "apart bytes": 4 * pixels * (depths + channels),
        "MACs": pixels * depths * channels,
    }
