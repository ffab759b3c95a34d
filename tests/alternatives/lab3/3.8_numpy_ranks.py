"""numpy's ranks."""

import numpy as np

from efficientlab.exercises.lab3.outcome import VARIANTS

_guess = np.array([20.0, 60.0, 35.0, 8.0])
fid_ranking = dict(zip(VARIANTS, _guess.argsort().argsort() + 1, strict=False))
