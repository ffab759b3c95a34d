"""a count of numpy's."""

import numpy as np


def cache_misses(index, row_bytes, cache_bytes, line_bytes=64):
    lines = [
        n
        for r in index
        for n in range(r * row_bytes // line_bytes, ((r + 1) * row_bytes - 1) // line_bytes + 1)
    ]
    room = cache_bytes // line_bytes
    missed = np.zeros(len(lines), dtype=bool)
    seen = {}
    for t, n in enumerate(lines):
        missed[t] = n not in seen or len(set(lines[seen[n] + 1 : t])) >= room
        seen[n] = t
    return missed.sum()
