"""one of the two batches is missing."""

latency_ratios = {"batch of 1": 3.0}
