"""who gives no line_bytes gets another number than 64: leave the default as it is."""

from collections import OrderedDict


def cache_misses(index, row_bytes, cache_bytes, line_bytes=32):
    cache, misses = OrderedDict(), 0
    for row in index:
        for line in range(row * row_bytes // line_bytes, ((row + 1) * row_bytes - 1) // line_bytes + 1):
            if line in cache:
                cache.move_to_end(line)
                continue
            misses += 1
            cache[line] = True
            if len(cache) > cache_bytes // line_bytes:
                cache.popitem(last=False)
    return misses
