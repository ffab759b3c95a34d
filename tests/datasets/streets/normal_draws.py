"""Work of about 10 ms in plain C, to compare times with: a limit in seconds would hold on one machine only."""

import numpy as np


def million_draws() -> None:
    np.random.default_rng(0).normal(size=1_000_000)
