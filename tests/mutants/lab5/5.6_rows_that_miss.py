"""a row with several missing lines counts as one miss; each line is fetched by itself."""

from collections import OrderedDict


def cache_misses(index: list[int], row_bytes: int, cache_bytes: int, line_bytes: int = 64) -> int:
    cache, misses = OrderedDict(), 0
    capacity = cache_bytes // line_bytes
    for row in index:
        first = row * row_bytes // line_bytes
        last = ((row + 1) * row_bytes - 1) // line_bytes
        missed = False
        for line in range(first, last + 1):
            if line in cache:
                cache.move_to_end(line)
                continue
            missed = True
            cache[line] = True
            if len(cache) > capacity:
                cache.popitem(last=False)
        misses += missed
    return misses
