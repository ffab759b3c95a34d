"""Message by message."""


def step_cost(parameters, macs, clips, workers, flops_per_second, bytes_per_second):
    total = parameters * 32 / 8
    message = total / workers
    sent = sum(message for _ in range(workers - 1)) + sum(message for _ in range(workers - 1))
    forward = 2 * macs * clips
    compute = (forward + 2 * forward) / flops_per_second
    reduce = sent / bytes_per_second
    return {
        "gradient_bytes": total,
        "sent_bytes": sent,
        "compute_seconds": compute,
        "reduce_seconds": reduce,
        "efficiency": 1 - reduce / (compute + reduce),
    }
