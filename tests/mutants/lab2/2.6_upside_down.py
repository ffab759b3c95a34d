"""the ratios are turned over: they say how many times slower."""

latency_ratios = {"batch of 1": 0.33, "batch of 16": 0.1}
