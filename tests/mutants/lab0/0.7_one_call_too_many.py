"""a call too many is timed, or the counts are not those that were asked for."""

import time

import torch


def median_latency(run, synchronise, clock=time.perf_counter, warmup=3, runs=15) -> dict[str, float]:
    """Seconds that one `run()` takes: `median`, and the quartiles `low` and `high`."""
    for _ in range(warmup):
        run()
    samples = []
    for _ in range(runs + 1):
        synchronise()
        start = clock()
        run()
        synchronise()
        samples.append(clock() - start)
    seconds = torch.tensor(samples, dtype=torch.float64)
    low, median, high = seconds.quantile(torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)).tolist()
    return {"median": median, "low": low, "high": high}
