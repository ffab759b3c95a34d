"""numpy's truth values."""

import numpy as np

intensity = np.array([0.0, 0.0, 4.5, 50.0, 400.0])
memory_bound = dict(
    zip(("ReLU", "residual sum", "depthwise 3×3", "conv 1×1", "conv 3×3"), intensity < 10, strict=True)
)
