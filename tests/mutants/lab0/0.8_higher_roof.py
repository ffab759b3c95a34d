"""the attainable rate is the lower one of the two roofs, not the higher one."""


def roof(macs, moved, flops_per_second, bytes_per_second):
    flops = 2 * macs
    intensity = flops / moved
    ridge = flops_per_second / bytes_per_second
    return {
        "intensity": intensity,
        "ridge": ridge,
        "bound": "memory" if intensity < ridge else "compute",
        "seconds": max(flops / flops_per_second, moved / bytes_per_second),
        "rate": max(flops_per_second, intensity * bytes_per_second),
    }
