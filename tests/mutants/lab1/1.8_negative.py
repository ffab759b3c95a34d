"""a speedup is a positive number."""

latency_ratios = {"batch of 1": -2.0, "batch of 32": 3.0}
