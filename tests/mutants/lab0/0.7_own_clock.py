"""`clock` is not asked, but Python's: the device has a clock of its own."""

import time

import torch


def median_latency(run, synchronise, clock=time.perf_counter, warmup=3, runs=15) -> dict[str, float]:
    """Seconds that one `run()` takes: `median`, and the quartiles `low` and `high`."""
    for _ in range(warmup):
        run()
    samples = []
    for _ in range(runs):
        synchronise()
        start = time.perf_counter()
        run()
        synchronise()
        samples.append(time.perf_counter() - start)
    seconds = torch.tensor(samples, dtype=torch.float64)
    low, median, high = seconds.quantile(torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)).tolist()
    return {"median": median, "low": low, "high": high}
