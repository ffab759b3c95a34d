def cache_misses(index, row_bytes, cache_bytes, line_bytes=64):
    used, time, misses = {}, 0, 0
    for row in index:
        begin, end = row * row_bytes, (row + 1) * row_bytes
        for line in range(begin // line_bytes, -(-end // line_bytes)):
            time += 1
            if line not in used:
                misses += 1
                if len(used) == cache_bytes // line_bytes:
                    del used[min(used, key=used.get)]
            used[line] = time
    return misses
