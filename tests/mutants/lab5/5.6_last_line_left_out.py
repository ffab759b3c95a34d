"""the last line of each row is left out: `range` ends before its second argument."""

from collections import OrderedDict


def cache_misses(index: list[int], row_bytes: int, cache_bytes: int, line_bytes: int = 64) -> int:
    cache, misses = OrderedDict(), 0
    for row in index:
        first = row * row_bytes // line_bytes
        last = ((row + 1) * row_bytes - 1) // line_bytes
        for line in range(first, last):
            if line in cache:
                cache.move_to_end(line)
                continue
            misses += 1
            cache[line] = True
            if len(cache) > cache_bytes // line_bytes:
                cache.popitem(last=False)
    return misses
