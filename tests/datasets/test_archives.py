"""Archives are downloaded once from a server of our own, proven by their checksum, and unpacked whole."""

import errno
import functools
import hashlib
import http.server
import threading
import zipfile
from types import SimpleNamespace

import pytest

from efficientlab.datasets.archives import fetch_archive


@pytest.fixture
def publisher(tmp_path):
    """A web server on the loopback interface that publishes set.zip, which holds one folder."""
    served = tmp_path / "served"
    served.mkdir()
    with zipfile.ZipFile(served / "set.zip", "w") as content:
        content.writestr("set_v1/a.txt", "1 2 3\n")
        content.writestr("set_v1/sub/b.txt", "4 5 6\n")
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
        url=f"http://127.0.0.1:{server.server_port}/set.zip", folder=served, requests=requests
    )
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), PermissionError("could not create the folder")],
)
def test_a_disk_that_refuses_is_not_taken_for_a_network(publisher, cache, monkeypatch, error):
    def retrieve(*args, **options):
        raise error

    monkeypatch.setattr("pooch.retrieve", retrieve)
    with pytest.raises(type(error)) as raised:
        fetch_archive(publisher.url, cache)
    assert raised.value is error


def test_of_two_that_unpack_at_once_one_takes_the_place(publisher, cache, monkeypatch):
    unpack = zipfile.ZipFile.extractall

    def extractall(archive, folder):
        unpack(archive, folder)
        if not (cache / "set_v1").exists():  # the other one
            unpack(archive, cache)

    monkeypatch.setattr(zipfile.ZipFile, "extractall", extractall)
    folder = fetch_archive(publisher.url, cache)
    assert {p.relative_to(folder).as_posix() for p in folder.rglob("*")} == {"a.txt", "sub", "sub/b.txt"}


def test_an_archive_is_downloaded_once_and_unpacked(publisher, cache, capsys):
    digest = hashlib.sha256((publisher.folder / "set.zip").read_bytes()).hexdigest()
    for _ in range(2):
        folder = fetch_archive(publisher.url, cache)
        assert folder == cache / "set_v1"
        assert (folder / "a.txt").read_text() == "1 2 3\n"
        assert (folder / "sub" / "b.txt").read_text() == "4 5 6\n"
    assert publisher.requests == ["/set.zip"]
    assert (cache / "set.zip.sha256").read_text() == digest
    assert capsys.readouterr().out.count(digest) == 1
    assert {p.name for p in cache.iterdir()} == {"set.zip", "set.zip.sha256", "set_v1"}  # no scratch is left


def test_a_later_download_must_be_the_first_one(publisher, cache):
    fetch_archive(publisher.url, cache)
    (cache / "set.zip").unlink()
    with zipfile.ZipFile(publisher.folder / "set.zip", "a") as content:
        content.writestr("set_v1/c.txt", "7 8 9\n")
    with pytest.raises(
        ValueError, match=r"served set\.zip with another checksum than .* delete .*set\.zip\.sha256"
    ):
        fetch_archive(publisher.url, cache)
    assert not (cache / "set.zip").exists()


def test_a_given_checksum_is_demanded_of_the_first_download(publisher, cache):
    with pytest.raises(ValueError, match="with another checksum than sha256:0000"):
        fetch_archive(publisher.url, cache, sha256="0" * 64)
    digest = hashlib.sha256((publisher.folder / "set.zip").read_bytes()).hexdigest()
    assert fetch_archive(publisher.url, cache, sha256=digest).name == "set_v1"
    assert not (cache / "set.zip.sha256").exists()


def test_what_is_not_an_archive_of_one_folder_is_named(publisher, cache):
    (publisher.folder / "set.zip").write_bytes(b"<html>moved</html>")
    with pytest.raises(ValueError, match=r"set\.zip is not a zip archive"):
        fetch_archive(publisher.url, cache)
    with zipfile.ZipFile(publisher.folder / "two.zip", "w") as content:
        content.writestr("one/a", "")
        content.writestr("two/a", "")
    with pytest.raises(ValueError, match="must hold one folder, it holds one, two"):
        fetch_archive(publisher.url.replace("set.zip", "two.zip"), cache)


def test_an_archive_that_is_not_served_is_named(publisher, cache):
    with pytest.raises(ConnectionError, match=r"could not download none\.zip .* check the network"):
        fetch_archive(publisher.url.replace("set.zip", "none.zip"), cache)


def test_without_a_network_the_archive_that_is_there_must_be_the_right_one(publisher, cache):
    folder = fetch_archive(publisher.url, cache)
    digest = (cache / "set.zip.sha256").read_text()
    nowhere = "http://127.0.0.1:9/set.zip"
    assert fetch_archive(nowhere, cache) == fetch_archive(nowhere, cache, f" {digest.upper()}\n") == folder
    (cache / "set.zip.sha256").write_text("")
    fetch_archive(nowhere, cache)
    assert (cache / "set.zip.sha256").read_text() == digest  # kept again
    with pytest.raises(ConnectionError, match=r"set\.zip has another checksum than sha256:0000"):
        fetch_archive(nowhere, cache, "0" * 64)
