"""MACs are taken for FLOPs: 1 MAC = 2 FLOPs."""


def roof(macs, moved, flops_per_second, bytes_per_second):
    flops = macs
    intensity = flops / moved
    ridge = flops_per_second / bytes_per_second
    return {
        "intensity": intensity,
        "ridge": ridge,
        "bound": "memory" if intensity < ridge else "compute",
        "seconds": max(flops / flops_per_second, moved / bytes_per_second),
        "rate": min(flops_per_second, intensity * bytes_per_second),
    }
