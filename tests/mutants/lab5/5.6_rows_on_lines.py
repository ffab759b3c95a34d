"""each row is taken to begin at a line of its own; rows follow each other without a gap."""

from collections import OrderedDict


def cache_misses(index: list[int], row_bytes: int, cache_bytes: int, line_bytes: int = 64) -> int:
    cache, misses = OrderedDict(), 0
    for row in index:
        lines = -(-row_bytes // line_bytes)
        first = row * lines
        last = first + lines - 1
        for line in range(first, last + 1):
            if line in cache:
                cache.move_to_end(line)
                continue
            misses += 1
            cache[line] = True
            if len(cache) > cache_bytes // line_bytes:
                cache.popitem(last=False)
    return misses
