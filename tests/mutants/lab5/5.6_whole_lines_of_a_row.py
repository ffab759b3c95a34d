"""a row is taken to touch as many lines as fit into it; one that is smaller than a line touches one or two."""

from collections import OrderedDict


def cache_misses(index: list[int], row_bytes: int, cache_bytes: int, line_bytes: int = 64) -> int:
    cache, misses = OrderedDict(), 0
    for row in index:
        first = row * row_bytes // line_bytes
        last = first + row_bytes // line_bytes - 1
        for line in range(first, last + 1):
            if line in cache:
                cache.move_to_end(line)
                continue
            misses += 1
            cache[line] = True
            if len(cache) > cache_bytes // line_bytes:
                cache.popitem(last=False)
    return misses
