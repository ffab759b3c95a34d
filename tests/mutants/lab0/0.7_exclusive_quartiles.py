"""these quartiles leave the extremes out, as `statistics.quantiles` does unless told otherwise: `Tensor.quantile` includes them."""

import time


def median_latency(run, synchronise, clock=time.perf_counter, warmup=3, runs=15):
    from statistics import median, quantiles

    for _ in range(warmup):
        run()
    samples = []
    for _ in range(runs):
        synchronise()
        start = clock()
        run()
        synchronise()
        samples.append(clock() - start)
    low, _, high = quantiles(samples, n=4)
    return {"median": median(samples), "low": low, "high": high}
