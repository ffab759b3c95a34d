"""every prediction is a number."""

latency_ratios = {"batch of 1": "twice", "batch of 32": 3.0}
