"""the names are not those of the two batches."""

latency_ratios = {"teacher": 3.1, "student": 1.2}
