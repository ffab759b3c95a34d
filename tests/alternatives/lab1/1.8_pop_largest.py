"""an entry that is popped."""

latency_ratios = {"batch of 1": 3.0, "batch of 8": 5.0, "batch of 32": 6.0}
latency_ratios.pop("batch of 8")
