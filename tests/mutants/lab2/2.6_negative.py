"""a ratio is not positive."""

latency_ratios = {"batch of 1": -3.0, "batch of 16": 10.0}
