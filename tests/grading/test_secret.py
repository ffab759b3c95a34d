"""The secrets of a folder of results are made once and are nobody else's to read."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from efficientlab.grading.secret import secret


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_secret_is_its_owner_s_alone(tmp_path: Path) -> None:
    secret(tmp_path / "key.txt")
    assert stat.S_IMODE((tmp_path / "key.txt").stat().st_mode) == 0o600


def test_several_who_ask_at_once_get_one_secret(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key.txt"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: secret(path), range(64)))
    assert found == {path.read_bytes()} and len(path.read_bytes()) == 64
    assert [p.name for p in path.parent.iterdir()] == ["key.txt"]
