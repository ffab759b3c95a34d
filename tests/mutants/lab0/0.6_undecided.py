"""every operator needs a decision: None is none."""

memory_bound = {
    "ReLU": True,
    "residual sum": True,
    "depthwise 3×3": True,
    "conv 1×1": None,
    "conv 3×3": False,
}
