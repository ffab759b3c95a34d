"""the ratios are turned over: both below 1, the student would always be slower than the teacher."""

latency_ratios = {"batch of 1": 0.5, "batch of 32": 0.25}
