import time

import torch


def median_latency(run, synchronise, clock=time.perf_counter, warmup=3, runs=15):
    for _ in range(warmup):
        run()
    synchronise()
    looks = [clock()]
    for _ in range(runs):
        run()
        synchronise()
        looks.append(clock())
    low, middle, high = (
        torch.tensor(looks, dtype=torch.float64)
        .diff()
        .quantile(torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64))
    )
    return {"median": middle, "low": low, "high": high}
