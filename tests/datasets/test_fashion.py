import functools
import gzip
import hashlib
import http.server
import struct
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from efficientlab.datasets import fashion
from efficientlab.datasets.fashion import FASHION_CLASSES, load_fashion_mnist, load_sprites, read_idx

PER_CLASS = {"train": 128, "val": 32, "test": 48}


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


@pytest.mark.parametrize("split", PER_CLASS)
def test_shipped_split_has_its_shape_types_and_balance(split):
    images, labels = load_sprites(split)
    n = PER_CLASS[split]
    assert images.shape == (10 * n, 28, 28)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert np.bincount(labels, minlength=10).tolist() == [n] * len(FASHION_CLASSES)


def test_no_image_is_in_two_splits():
    seen = [{image.tobytes() for image in load_sprites(split)[0]} for split in PER_CLASS]
    assert not (seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2])


def test_first_image_is_fashion_mnists_first_image():
    """The training set's first picture is the well-known ankle boot, whose grey values sum to 76,247."""
    images, labels = load_sprites("train")
    assert FASHION_CLASSES[labels[0]] == "ankle boot"
    assert images[0].sum(dtype=int) == 76_247


def test_classes_look_as_named():
    """Trousers are upright and bags lie: the height-to-width ratio of the mean picture's ink says so."""
    images, labels = load_sprites("train")

    def ratio(name):
        ink = images[labels == FASHION_CLASSES.index(name)].mean(0) > 40
        return ink.any(1).sum() / ink.any(0).sum()

    assert ratio("trouser") > 1.5
    assert ratio("sneaker") < 0.8


def test_arrays_are_the_callers_own():
    images, _ = load_sprites("val")
    images[:] = 0
    assert load_sprites("val")[0].any()


@pytest.mark.parametrize("load", [load_sprites, load_fashion_mnist])
def test_unknown_split_is_named(load):
    with pytest.raises(ValueError, match="split must be one of train, val, test; got 'dev'"):
        load("dev")


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    """A web server on the loopback interface that publishes a Fashion-MNIST of 15 noise images."""
    rng = np.random.default_rng(0)
    made = {}
    served = tmp_path / "served"
    served.mkdir()
    checksums = {}
    for start, n in (("train", 12), ("t10k", 3)):
        images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = rng.integers(0, 10, n, dtype=np.uint8)
        made[start] = images, labels
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            content = idx(array)
            name = f"{start}-{kind}-ubyte.gz"
            (served / name).write_bytes(content)
            checksums[name] = hashlib.md5(content).hexdigest()
    assert set(checksums) == set(fashion.FASHION_FILES)
    monkeypatch.setattr(fashion, "FASHION_FILES", checksums)
    monkeypatch.setattr(fashion, "VAL_IMAGES", 4)

    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            super().do_GET()

        def log_message(self, *args):
            pass

    handler = functools.partial(Handler, directory=str(served))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield SimpleNamespace(
        url=f"http://127.0.0.1:{server.server_port}/", folder=served, made=made, requests=requests
    )
    server.shutdown()
    server.server_close()
    thread.join()


def test_download_gives_disjoint_splits_of_the_originals(publisher, tmp_path):
    got = {split: load_fashion_mnist(split, tmp_path / "cache", publisher.url) for split in PER_CLASS}
    images, labels = publisher.made["train"]
    np.testing.assert_array_equal(got["train"][0], images[:8])
    np.testing.assert_array_equal(got["val"][0], images[8:])
    np.testing.assert_array_equal(np.concatenate([got["train"][1], got["val"][1]]), labels)
    np.testing.assert_array_equal(got["test"][0], publisher.made["t10k"][0])
    assert got["test"][1].dtype == np.int64


def test_each_file_is_downloaded_once(publisher, tmp_path):
    for _ in range(2):
        load_fashion_mnist("test", tmp_path / "cache", publisher.url)
    assert sorted(publisher.requests) == ["/t10k-images-idx3-ubyte.gz", "/t10k-labels-idx1-ubyte.gz"]


def test_a_file_with_another_checksum_is_refused(publisher, tmp_path):
    (publisher.folder / "t10k-labels-idx1-ubyte.gz").write_bytes(b"<html>moved</html>")
    with pytest.raises(ValueError, match=r"served t10k-labels-idx1-ubyte\.gz with another checksum"):
        load_fashion_mnist("test", tmp_path / "cache", publisher.url)
    assert not (tmp_path / "cache" / "t10k-labels-idx1-ubyte.gz").exists()


def test_a_file_that_is_not_served_is_named(publisher, tmp_path):
    (publisher.folder / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(
        ConnectionError, match=r"could not download t10k-images-idx3-ubyte\.gz .*put the file into"
    ):
        load_fashion_mnist("test", tmp_path / "cache", publisher.url)


def test_no_server_at_all_is_a_connection_error(publisher, tmp_path):
    port = 9  # discard: nothing listens there
    with pytest.raises(ConnectionError, match=r"could not download .* check the network"):
        load_fashion_mnist("test", tmp_path / "cache", f"http://127.0.0.1:{port}/")


def test_the_checksums_are_those_the_authors_publish():
    assert fashion.FASHION_FILES["train-images-idx3-ubyte.gz"] == "8d4fb7e6c68d591d4c3dfef9ec88bf0d"
    assert fashion.FASHION_FILES["t10k-labels-idx1-ubyte.gz"] == "bb300cfdad3c16e7a12a480ee83cd310"


@pytest.mark.parametrize("shape", [(0,), (5,), (2, 3, 4), (1, 1, 1, 1)])
def test_read_idx_gives_back_what_was_written(tmp_path, shape):
    array = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    (tmp_path / "x.gz").write_bytes(idx(array))
    np.testing.assert_array_equal(read_idx(tmp_path / "x.gz"), array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not gzip", "is not a whole gzip file"),
        (idx(np.zeros(100, np.uint8))[:-12], "is not a whole gzip file"),
        (
            gzip.compress(b"\0\0\x0d\x01\0\0\0\x01\0\0\0\0", mtime=0),
            "is not an IDX file of bytes: it starts with 00 00 0d 01",
        ),
        (gzip.compress(b"\0\0", mtime=0), "is not an IDX file of bytes"),
        (
            gzip.compress(b"\0\0\x08\x01\0\0\0\x05abc", mtime=0),
            r"its header says \(5,\), but it holds 3 bytes",
        ),
    ],
)
def test_read_idx_names_what_is_wrong(tmp_path, content, message):
    (tmp_path / "x.gz").write_bytes(content)
    with pytest.raises(ValueError, match=rf"x\.gz .*{message}"):
        read_idx(tmp_path / "x.gz")
