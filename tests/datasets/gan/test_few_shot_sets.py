"""Small archives in the published formats, from a server of our own on the loopback interface."""

import functools
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from efficientlab.datasets.gan.few_shot_sets import cifar10, hundred_shot

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 3, 32, 32), dtype=np.uint8)
LABELS = np.arange(60, dtype=np.uint8) % 3


def records(rows):
    return b"".join(bytes([LABELS[i]]) + PIXELS[i].tobytes() for i in rows)


def tar_of(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as content:
        for name, data in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(data)
            content.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def png(color, size=8):
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), color).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def publisher(tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    batches = {f"data_batch_{n + 1}.bin": records(range(10 * n, 10 * n + 10)) for n in range(5)}
    (served / "cifar.tar.gz").write_bytes(tar_of({**batches, "test_batch.bin": records(range(50, 60))}))
    with zipfile.ZipFile(served / "100-shot-red.zip", "w") as content:
        content.writestr("1.png", png((255, 0, 0)))
        content.writestr("deep/0.png", png((0, 0, 255)))
        content.writestr("__MACOSX/._1.png", b"not a picture")
        content.writestr("readme.txt", "no picture")
    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            super().do_GET()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(served))
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}", folder=served, requests=requests)
    server.shutdown()
    server.server_close()
    thread.join()


def cifar(publisher, tmp_path, split, share=1.0, **options):
    archive = publisher.folder / "cifar.tar.gz"
    options.setdefault("md5", hashlib.md5(archive.read_bytes()).hexdigest())
    return cifar10(split, share, tmp_path / "cache", f"{publisher.url}/cifar.tar.gz", **options)


def test_cifar_is_read_in_order_and_downloaded_once(publisher, tmp_path):
    pictures, labels = cifar(publisher, tmp_path, "train")
    assert torch.equal(pictures, torch.tensor(PIXELS[:50]).float() / 127.5 - 1)
    assert labels.tolist() == LABELS[:50].tolist()
    pictures, labels = cifar(publisher, tmp_path, "test")
    assert torch.equal(pictures, torch.tensor(PIXELS[50:]).float() / 127.5 - 1)
    assert publisher.requests == ["/cifar.tar.gz"]


def test_a_share_is_of_each_class_and_the_first_ones(publisher, tmp_path):
    _, labels = cifar(publisher, tmp_path, "train", 0.2)
    assert torch.bincount(labels).tolist() == [3, 3, 3]
    pictures, _ = cifar(publisher, tmp_path, "train", 0.2)
    assert torch.equal(pictures, torch.tensor(PIXELS[:9]).float() / 127.5 - 1)


def test_cifars_errors(publisher, tmp_path):
    with pytest.raises(ValueError, match="split must be one of train, test; got 'val'"):
        cifar(publisher, tmp_path, "val")
    for share in (0, 1.5):
        with pytest.raises(ValueError, match=f"at most 1, got {share}"):
            cifar(publisher, tmp_path, "train", share)
    with pytest.raises(ValueError, match="another checksum"):
        cifar(publisher, tmp_path, "train", md5="0" * 32)
    (publisher.folder / "cifar.tar.gz").write_bytes(tar_of({"test_batch.bin": b"short"}))
    with pytest.raises(ValueError, match=r"holds no data_batch_1\.bin"):
        cifar(publisher, tmp_path, "train")
    with pytest.raises(ValueError, match="5 bytes are no whole number of records"):
        cifar(publisher, tmp_path, "test")
    with pytest.raises(ConnectionError, match=r"could not download none\.tar\.gz"):
        cifar10("test", folder=tmp_path, url=f"{publisher.url}/none.tar.gz")


def test_a_hundred_shot_set_is_every_picture_by_name(publisher, tmp_path):
    for _ in range(2):
        pictures = hundred_shot("100-shot-red", 4, tmp_path / "cache", publisher.url)
    red, blue = torch.tensor([1.0, -1, -1]), torch.tensor([-1.0, -1, 1])
    assert pictures.shape == (2, 3, 4, 4)
    assert torch.equal(pictures[0], red[:, None, None].expand(3, 4, 4))
    assert torch.equal(pictures[1], blue[:, None, None].expand(3, 4, 4))
    assert publisher.requests == ["/100-shot-red.zip"]


def test_a_later_download_must_be_the_first_one(publisher, tmp_path):
    hundred_shot("100-shot-red", 4, tmp_path / "cache", publisher.url)
    (tmp_path / "cache" / "100-shot-red.zip").unlink()
    with zipfile.ZipFile(publisher.folder / "100-shot-red.zip", "a") as content:
        content.writestr("2.png", png((0, 255, 0)))
    with pytest.raises(ValueError, match="another checksum"):
        hundred_shot("100-shot-red", 4, tmp_path / "cache", publisher.url)


def test_what_is_no_set_of_pictures_is_named(publisher, tmp_path):
    (publisher.folder / "text.zip").write_bytes(b"not a zip")
    with pytest.raises(ValueError, match="is not a zip archive"):
        hundred_shot("text", folder=tmp_path / "cache", url=publisher.url)
    with zipfile.ZipFile(publisher.folder / "empty.zip", "w") as content:
        content.writestr("readme.txt", "nothing")
    with pytest.raises(ValueError, match="holds no PNG or JPEG"):
        hundred_shot("empty", folder=tmp_path / "cache", url=publisher.url)
