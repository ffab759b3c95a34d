"""A cache by hand."""

import pytest

from efficientlab.counters.cache import cache_misses


def test_the_line_whose_last_use_is_longest_ago_leaves():
    assert cache_misses([0, 1, 0, 2, 0, 1], row_bytes=64, cache_bytes=128) == 4
    assert cache_misses([0] * 5, 64, 64) == 1


def test_a_row_may_touch_several_lines_and_share_them():
    assert cache_misses([0, 1, 2, 3], row_bytes=16, cache_bytes=64) == 1
    assert cache_misses([0], row_bytes=200, cache_bytes=1024) == 4
    assert cache_misses([1], row_bytes=96, cache_bytes=1024) == 2  # bytes 96 to 191: lines 1 and 2


def test_sizes_that_make_no_cache_are_refused():
    with pytest.raises(ValueError, match="rows of 64, a cache of 32 and lines of 64 bytes"):
        cache_misses([0], 64, 32)
