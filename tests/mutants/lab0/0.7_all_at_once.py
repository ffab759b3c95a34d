"""all calls are timed as one, and divided: that is a mean, and it has no spread."""

import time

import torch


def median_latency(run, synchronise, clock=time.perf_counter, warmup=3, runs=15):
    for _ in range(warmup):
        run()
    samples = []
    synchronise()
    start = clock()
    for _ in range(runs):
        run()
    synchronise()
    samples = [(clock() - start) / runs] * runs
    seconds = torch.tensor(samples, dtype=torch.float64)
    low, median, high = (seconds.quantile(q).item() for q in (0.25, 0.5, 0.75))
    return {"median": median, "low": low, "high": high}
