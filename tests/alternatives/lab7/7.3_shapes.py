from math import prod


def lift_bytes(cameras: int, height: int, width: int, depths: int, channels: int) -> dict[str, int]:
    """From the shapes of the tensors."""
    lifted = (cameras, depths, channels, height, width)
    apart = prod((cameras, depths, height, width)) + prod((cameras, channels, height, width))
    return {
        "MACs": prod(lifted),
        "apart bytes": apart * 4,
        "lifted bytes": prod(lifted) * 4,
        "points": prod(lifted) // channels,
    }
