"""the least time is the longer one of the two: both have to be done."""


def roof(macs, moved, flops_per_second, bytes_per_second):
    flops = 2 * macs
    intensity = flops / moved
    ridge = flops_per_second / bytes_per_second
    return {
        "intensity": intensity,
        "ridge": ridge,
        "bound": "memory" if intensity < ridge else "compute",
        "seconds": min(flops / flops_per_second, moved / bytes_per_second),
        "rate": min(flops_per_second, intensity * bytes_per_second),
    }
