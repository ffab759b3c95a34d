"""a prediction is not a finite number."""

latency_ratios = {"batch of 1": float("nan"), "batch of 16": 10.0}
