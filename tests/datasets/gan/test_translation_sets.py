"""The published picture sets: both forms read from small copies, and the download from the loopback interface."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from efficientlab.datasets.gan import translation_sets
from efficientlab.datasets.gan.translation_sets import (
    fetch_cyclegan_set,
    paired_pictures,
    unpaired_pictures,
)


def png(*colours: tuple[int, int, int]) -> bytes:
    """A picture of 8 rows, one 8 × 8 field a colour."""
    pixels = np.concatenate([np.full((8, 8, 3), colour, np.uint8) for colour in colours], 1)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


RED, BLUE = (200, 10, 20), (5, 15, 220)


def test_pairs_are_the_halves_of_one_file(tmp_path: Path) -> None:
    folder = tmp_path / "edges2shoes" / "val"
    folder.mkdir(parents=True)
    (folder / "2_AB.png").write_bytes(png(BLUE, RED))
    (folder / "1_AB.png").write_bytes(png(RED, BLUE))
    (folder / "notes.txt").write_text("no picture")
    inputs, targets = paired_pictures(tmp_path / "edges2shoes", "val", size=4)
    assert len(inputs) == len(targets) == 2
    assert inputs[0].shape == (3, 4, 4)
    assert inputs[0].dtype == torch.uint8
    assert inputs[0][:, 0, 0].tolist() == list(RED)
    assert targets[0][:, 3, 3].tolist() == list(BLUE)
    assert inputs[1][:, 0, 3].tolist() == list(BLUE)
    swapped, _ = paired_pictures(tmp_path / "edges2shoes", "val", size=4, reverse=True)
    assert torch.equal(swapped[0], targets[0])


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*val; unpack the set there"):
        paired_pictures(tmp_path, "val")
    (tmp_path / "trainA").mkdir()
    with pytest.raises(FileNotFoundError, match=r"trainA holds no picture \(\.jpg, \.jpeg, \.png\)"):
        unpaired_pictures(tmp_path, "train")


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A web server on the loopback interface with a horse2zebra of two horses and one zebra."""
    served = tmp_path / "served"
    served.mkdir()
    archive = served / "horse2zebra.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name, colour in (("trainA/1.png", RED), ("trainA/2.png", BLUE), ("trainB/1.png", BLUE)):
            file.writestr(f"horse2zebra/{name}", png(colour))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(translation_sets, "CYCLEGAN_SETS", {"horse2zebra": digest})
    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            super().do_GET()

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(served))
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}/", archive=archive, requests=requests)
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_set_is_downloaded_once_and_read(publisher: SimpleNamespace, tmp_path: Path) -> None:
    for _ in range(2):
        root = fetch_cyclegan_set("horse2zebra", tmp_path / "cache", publisher.url)
    assert publisher.requests == ["/horse2zebra.zip"]
    horses, zebras = unpaired_pictures(root, "train", size=4)
    assert (len(horses), len(zebras)) == (2, 1)
    assert horses[1][:, 0, 0].tolist() == zebras[0][:, 0, 0].tolist() == list(BLUE)


def test_an_archive_with_another_checksum_is_refused(publisher: SimpleNamespace, tmp_path: Path) -> None:
    publisher.archive.write_bytes(b"<html>moved</html>")
    with pytest.raises(ValueError, match=r"served horse2zebra\.zip with another checksum than sha256"):
        fetch_cyclegan_set("horse2zebra", tmp_path / "cache", publisher.url)
    assert not (tmp_path / "cache" / "horse2zebra").exists()


def test_an_archive_that_is_not_served_is_named(publisher: SimpleNamespace, tmp_path: Path) -> None:
    publisher.archive.unlink()
    with pytest.raises(ConnectionError, match=r"could not download horse2zebra\.zip .*unpack the set into"):
        fetch_cyclegan_set("horse2zebra", tmp_path / "cache", publisher.url)


def test_an_unknown_set_is_named() -> None:
    with pytest.raises(ValueError, match="unknown set 'cats'; there are horse2zebra, maps"):
        fetch_cyclegan_set("cats")


def test_pictures_are_read_upright_and_hidden_ones_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "shoes" / "train"
    folder.mkdir(parents=True)
    stored = np.concatenate([np.full((8, 8, 3), colour, np.uint8) for colour in (BLUE, RED)])  # blue over red
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by a quarter to the right: red on the left
    Image.fromarray(stored).save(folder / "1.png", exif=exif)
    (folder / "._1.png").write_bytes(b"no picture")
    inputs, targets = paired_pictures(tmp_path / "shoes", "train", size=4)
    assert len(inputs) == 1
    assert inputs[0][:, 1, 1].tolist() == list(RED)
    assert targets[0][:, 2, 2].tolist() == list(BLUE)
    (folder / "2.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ValueError, match=r"2\.jpg cannot be decoded"):
        paired_pictures(tmp_path / "shoes", "train")[0][1]
