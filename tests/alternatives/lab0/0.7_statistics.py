import statistics
import time


def median_latency(run, synchronise, clock=time.perf_counter, warmup=3, runs=15):
    def timed():
        synchronise()
        begin = clock()
        run()
        synchronise()
        return clock() - begin

    samples = sorted([timed() for _ in range(warmup + runs)][warmup:])
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return {"low": low, "high": high, "median": statistics.median(samples)}
