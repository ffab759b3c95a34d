"""Python's own cache of this kind."""

from functools import lru_cache


def cache_misses(index, row_bytes, cache_bytes, line_bytes=64):
    @lru_cache(maxsize=cache_bytes // line_bytes)
    def fetch(line):
        return line

    for row in index:
        for line in range(row * row_bytes // line_bytes, ((row + 1) * row_bytes - 1) // line_bytes + 1):
            fetch(line)
    return fetch.cache_info().misses
