"""the intensity is upside down: it is FLOPs per byte."""


def roof(macs, moved, flops_per_second, bytes_per_second):
    flops = 2 * macs
    intensity = moved / flops if flops else 0.0
    ridge = flops_per_second / bytes_per_second
    return {
        "intensity": intensity,
        "ridge": ridge,
        "bound": "memory" if intensity < ridge else "compute",
        "seconds": max(flops / flops_per_second, moved / bytes_per_second),
        "rate": min(flops_per_second, intensity * bytes_per_second),
    }
