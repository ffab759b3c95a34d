"""the bounds are exchanged: few FLOPs per byte is memory-bound."""


def roof(macs, moved, flops_per_second, bytes_per_second):
    flops = 2 * macs
    intensity = flops / moved
    ridge = flops_per_second / bytes_per_second
    return {
        "intensity": intensity,
        "ridge": ridge,
        "bound": "compute" if intensity < ridge else "memory",
        "seconds": max(flops / flops_per_second, moved / bytes_per_second),
        "rate": min(flops_per_second, intensity * bytes_per_second),
    }
