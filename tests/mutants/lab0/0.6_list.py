"""`memory_bound` is a dictionary: name of the operator, then True or False."""

memory_bound = ["ReLU", "residual sum", "depthwise 3×3"]
