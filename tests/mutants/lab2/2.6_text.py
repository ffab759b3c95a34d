"""a prediction is text."""

latency_ratios = {"batch of 1": "3 times", "batch of 16": "10 times"}
