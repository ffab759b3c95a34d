"""the gradients are counted with 2 bytes each: fp32 has 4."""


def step_cost(parameters, macs, clips, workers, flops_per_second, bytes_per_second):
    gradient_bytes = 2 * parameters
    sent_bytes = 2 * (workers - 1) / workers * gradient_bytes
    compute_seconds = 3 * 2 * macs * clips / flops_per_second
    reduce_seconds = sent_bytes / bytes_per_second
    efficiency = compute_seconds / (compute_seconds + reduce_seconds)
    return {
        "gradient_bytes": gradient_bytes,
        "sent_bytes": sent_bytes,
        "compute_seconds": compute_seconds,
        "reduce_seconds": reduce_seconds,
        "efficiency": efficiency,
    }
