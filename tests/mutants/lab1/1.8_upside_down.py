"""the ratio is turned over: below 1, the student would be slower than the teacher."""

latency_ratios = {"batch of 1": 0.5, "batch of 32": 0.25}
