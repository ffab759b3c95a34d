"""arithmetic and traffic overlap: the least time is the longer one of the two, not their sum."""


def roof(macs, moved, flops_per_second, bytes_per_second):
    flops = 2 * macs
    intensity = flops / moved
    ridge = flops_per_second / bytes_per_second
    return {
        "intensity": intensity,
        "ridge": ridge,
        "bound": "memory" if intensity < ridge else "compute",
        "seconds": flops / flops_per_second + moved / bytes_per_second,
        "rate": min(flops_per_second, intensity * bytes_per_second),
    }
