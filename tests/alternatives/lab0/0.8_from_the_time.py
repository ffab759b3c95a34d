def roof(macs, moved, flops_per_second, bytes_per_second):
    arithmetic, traffic = 2 * macs / flops_per_second, moved / bytes_per_second
    seconds = arithmetic if arithmetic > traffic else traffic
    return {
        "seconds": seconds,
        "rate": 2 * macs / seconds,
        "bound": "compute" if arithmetic >= traffic else "memory",
        "intensity": 2 * macs / moved,
        "ridge": flops_per_second / bytes_per_second,
    }
