"""a list from which one is removed."""

from efficientlab.exercises.lab4.costs import CONTESTANTS

others = list(CONTESTANTS)
others.remove("TSN")
latency_ratios = {"TSN": 1.0, **dict.fromkeys(others, 1.5)}
