"""this is the time to put work into the queue: the device has not done it when the clock is read."""

import time

import torch


def median_latency(run, synchronise, clock=time.perf_counter, warmup=3, runs=15):
    for _ in range(warmup):
        run()
    samples = []
    for _ in range(runs):
        start = clock()
        run()
        samples.append(clock() - start)
    seconds = torch.tensor(samples, dtype=torch.float64)
    low, median, high = (seconds.quantile(q).item() for q in (0.25, 0.5, 0.75))
    return {"median": median, "low": low, "high": high}
