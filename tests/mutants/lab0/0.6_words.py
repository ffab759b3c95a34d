"""a prediction is True or False, not a word."""

memory_bound = {
    "ReLU": "memory",
    "residual sum": "memory",
    "depthwise 3×3": "memory",
    "conv 1×1": "compute",
    "conv 3×3": "compute",
}
