"""who does not say how many runs gets another number than 15: leave the defaults as they are."""

import time

import torch


def median_latency(run, synchronise, clock=time.perf_counter, warmup=3, runs=5):
    for _ in range(warmup):
        run()
    samples = []
    for _ in range(runs):
        synchronise()
        start = clock()
        run()
        synchronise()
        samples.append(clock() - start)
    low, median, high = (
        torch.tensor(samples, dtype=torch.float64)
        .quantile(torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64))
        .tolist()
    )
    return {"median": median, "low": low, "high": high}
