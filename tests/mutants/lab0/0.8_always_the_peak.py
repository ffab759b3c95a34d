"""the attainable rate is not the peak rate where memory sets the pace."""


def roof(macs, moved, flops_per_second, bytes_per_second):
    flops = 2 * macs
    intensity = flops / moved
    ridge = flops_per_second / bytes_per_second
    return {
        "intensity": intensity,
        "ridge": ridge,
        "bound": "memory" if intensity < ridge else "compute",
        "seconds": max(flops / flops_per_second, moved / bytes_per_second),
        "rate": flops_per_second,
    }
