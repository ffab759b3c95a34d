"""How often a processor would wait for memory: a cache, simulated."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable


def cache_misses(index: Iterable[int], row_bytes: int, cache_bytes: int, line_bytes: int = 64) -> int:
    """Lines that must be fetched when rows of a table are read in this order through a least-recently-used cache.

    Row 0 begins at address 0; a row is read as a whole; the cache holds cache_bytes // line_bytes lines, is empty at
    first, and gives up the line whose last use is longest ago.

    Raises:
        ValueError: a size is not positive, or the cache holds no line.
    """
    if min(row_bytes, line_bytes) < 1 or cache_bytes < line_bytes:
        raise ValueError(
            f"sizes must be positive and the cache hold a line; got rows of {row_bytes}, a cache of {cache_bytes} "
            f"and lines of {line_bytes} bytes"
        )
    lines = cache_bytes // line_bytes
    cache: OrderedDict[int, None] = OrderedDict()
    misses = 0
    for row in index:
        for line in range(row * row_bytes // line_bytes, ((row + 1) * row_bytes - 1) // line_bytes + 1):
            if line in cache:
                cache.move_to_end(line)
                continue
            misses += 1
            cache[line] = None
            if len(cache) > lines:
                cache.popitem(last=False)
    return misses
