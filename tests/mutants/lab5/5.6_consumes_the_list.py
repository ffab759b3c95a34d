"""the list of rows is emptied while it is read: the caller still needs it."""

from collections import OrderedDict


def cache_misses(index, row_bytes, cache_bytes, line_bytes=64):
    cache, misses = OrderedDict(), 0
    while index:
        row = index.pop(0)
        for line in range(row * row_bytes // line_bytes, ((row + 1) * row_bytes - 1) // line_bytes + 1):
            if line in cache:
                cache.move_to_end(line)
                continue
            misses += 1
            cache[line] = True
            if len(cache) > cache_bytes // line_bytes:
                cache.popitem(last=False)
    return misses
