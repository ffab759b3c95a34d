"""Files are whole or absent, also where the system is stricter than Linux."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from efficientlab.files import replacing, write_text

fcntl = pytest.importorskip("fcntl", reason="only Unix tells how a file was opened")


def test_a_file_is_replaced_or_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.txt"
    write_text(path, "× one")
    assert path.read_text(encoding="utf-8") == "× one"

    def fail() -> None:
        with replacing(path) as part:
            part.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text(encoding="utf-8") == "× one"
    assert list(path.parent.iterdir()) == [path]


def test_what_is_flushed_was_opened_for_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows refuses to flush a file that was opened for reading: `kept` networks could not be kept there."""
    flush = os.fsync

    def strict(handle: int) -> None:
        assert fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
        flush(handle)

    monkeypatch.setattr(os, "fsync", strict)
    write_text(tmp_path / "a.txt", "whole")
    assert (tmp_path / "a.txt").read_text() == "whole"
