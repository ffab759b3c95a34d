"""the end of a row is divided and rounded down: what it begins of its last line is not read."""

from collections import OrderedDict


def cache_misses(index: list[int], row_bytes: int, cache_bytes: int, line_bytes: int = 64) -> int:
    """How many lines must be fetched from memory when these rows are read through an LRU cache."""
    cache, misses = OrderedDict(), 0
    for row in index:
        for line in range(row * row_bytes // line_bytes, (row + 1) * row_bytes // line_bytes):
            if line in cache:
                cache.move_to_end(line)
                continue
            misses += 1
            cache[line] = True
            if len(cache) > cache_bytes // line_bytes:
                cache.popitem(last=False)
    return misses
