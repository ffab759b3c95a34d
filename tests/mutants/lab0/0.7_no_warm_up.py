"""there is no warm-up: the first, slow calls are among the samples."""

import time

import torch


def median_latency(run, synchronise, clock=time.perf_counter, warmup=3, runs=15):
    samples = []
    for _ in range(runs):
        synchronise()
        start = clock()
        run()
        synchronise()
        samples.append(clock() - start)
    seconds = torch.tensor(samples, dtype=torch.float64)
    low, median, high = (seconds.quantile(q).item() for q in (0.25, 0.5, 0.75))
    return {"median": median, "low": low, "high": high}
