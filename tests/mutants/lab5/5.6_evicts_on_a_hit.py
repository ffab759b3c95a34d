"""a full cache gives a line away at every access; a hit needs no room."""

from collections import OrderedDict


def cache_misses(index: list[int], row_bytes: int, cache_bytes: int, line_bytes: int = 64) -> int:
    cache, misses = OrderedDict(), 0
    for row in index:
        first = row * row_bytes // line_bytes
        last = ((row + 1) * row_bytes - 1) // line_bytes
        for line in range(first, last + 1):
            if len(cache) >= cache_bytes // line_bytes:
                cache.popitem(last=False)
            misses += line not in cache
            cache[line] = True
    return misses
