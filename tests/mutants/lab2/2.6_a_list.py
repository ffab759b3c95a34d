"""the predictions have no names."""

latency_ratios = [3.0, 10.0]
