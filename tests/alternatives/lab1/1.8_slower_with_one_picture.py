"""Whoever counts calls: the student has more of them, and one picture on a fast device is nothing but calls."""

latency_ratios = {"batch of 1": 0.8, "batch of 32": 6.0}
