"""a prediction is text, or something else that is no number."""

latency_ratios = {"batch of 1": "3 times", "batch of 16": "10 times"}
