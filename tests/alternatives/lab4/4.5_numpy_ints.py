"""numpy's integers."""

import numpy as np

from efficientlab.exercises.lab4.costs import CONTESTANTS

latency_ratios = dict(zip(CONTESTANTS, np.array([1, 1, 2, 2, 3, 3, 1]), strict=True))
