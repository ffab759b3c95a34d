"""the larger batch is missing."""

latency_ratios = {"batch of 1": 2.0}
