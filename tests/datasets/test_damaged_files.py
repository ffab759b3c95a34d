"""Archives, arrays and pictures that are cut off, encrypted or something else: the sentence names the file."""

import gzip
import io
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from efficientlab.datasets.archives import fetch_archive
from efficientlab.datasets.fashion import read_idx
from efficientlab.datasets.gan import few_shot_sets
from efficientlab.datasets.gan.avatars import load_avatars
from efficientlab.datasets.gan.edges import load_edges2shoes
from efficientlab.datasets.gan.translation_sets import paired_pictures
from efficientlab.datasets.video.clips import VideoClips, VideoList, load_clips


def damaged_gzip():
    content = bytearray(gzip.compress(bytes(range(256)) * 50))
    content[30] ^= 255
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"\0\0\x08"),
        gzip.compress(b"\0\0\x08\x01\0\0\0\x05abc"),
        gzip.compress(b"\0\0\x08\x04" + struct.pack(">4I", 2**16, 2**16, 2**16, 2**16)),  # 0 modulo 2⁶⁴
        damaged_gzip(),
    ],
    ids=["no dimension", "too few bytes", "a size of 0 modulo 2**64", "damaged"],  # their bytes tell the time
)
def test_idx(tmp_path, content):
    (tmp_path / "x.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.gz is"):
        read_idx(tmp_path / "x.gz")


@pytest.mark.parametrize(
    "content", [b"", b"junk", None, {"x": np.zeros(2)}, {"train_images": np.array([{}], object)}]
)
def test_npz(tmp_path, content):
    if isinstance(content, dict):
        np.savez(tmp_path / "avatars.npz", **content)
    elif content is not None:
        (tmp_path / "avatars.npz").write_bytes(content)
    kind = FileNotFoundError if content is None else ValueError
    with pytest.raises(kind, match=r"avatars\.npz is"):
        load_avatars("train", tmp_path)


AVATARS = {
    "images": np.zeros((2, 32, 32, 3), np.uint8), "labels": np.zeros((2, 5), np.int64), "skin": np.zeros(2, np.float32)
}  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        {"images": np.zeros((2, 32, 32, 3))}, {"images": np.zeros((2, 32, 32), np.uint8)},
        {"labels": np.zeros((3, 5), np.int64)}, {"labels": np.zeros((2, 5))}, {"skin": np.zeros(3)},
        {"labels": np.full((2, 5), 8)}, {"labels": np.full((2, 5), -1)},
    ],
)  # fmt: skip
def test_npz_of_other_arrays(tmp_path, other):
    for content in (AVATARS, AVATARS | other):
        np.savez(tmp_path / "avatars.npz", **{f"train_{name}": array for name, array in content.items()})
        if content is AVATARS:
            assert len(load_avatars("train", tmp_path).pictures) == 2
    with pytest.raises(ValueError, match=r"avatars\.npz (must hold pictures uint8|holds labels of values)"):
        load_avatars("train", tmp_path)


@pytest.fixture
def served(tmp_path, monkeypatch):
    """The archive as if it had been downloaded."""
    archive = tmp_path / "set.zip"
    monkeypatch.setattr(few_shot_sets, "download_zip", lambda *_: archive)
    monkeypatch.setattr(few_shot_sets, "download", lambda *_: archive)
    return archive


def test_zip_of_pictures(served):
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    with zipfile.ZipFile(served, "w") as content:
        content.writestr("set/1.png", picture.getvalue())
    whole = served.read_bytes()
    for size, kind in ((0, ValueError), (8.5, TypeError)):
        with pytest.raises(kind, match="size must be"):
            few_shot_sets.hundred_shot("set", size)
    entry = whole.index(b"PK\1\2")
    encrypted, broken = bytearray(whole), bytearray(whole)
    encrypted[6] |= 1
    encrypted[entry + 8] |= 1
    broken[60] ^= 255
    for content in (encrypted, broken):
        served.write_bytes(content)
        with pytest.raises(ValueError, match=r"set\.zip is not a zip archive that can be read"):
            few_shot_sets.hundred_shot("set", 8)


def test_tar_of_cifar(served):
    served.write_bytes(b"junk")
    with pytest.raises(ValueError, match=r"set\.zip is not a tar archive"):
        few_shot_sets.cifar10("test")
    with tarfile.open(served, "w:gz") as content:
        content.addfile(tarfile.TarInfo("cifar/readme.html"))
        member = tarfile.TarInfo("cifar/test_batch.bin")
        member.size = 20 * 3073
        content.addfile(member, io.BytesIO(np.random.default_rng(0).bytes(member.size)))
    served.write_bytes(served.read_bytes()[:30_000])
    with pytest.raises(ValueError, match=r"set\.zip is not a tar archive that can be read"):
        few_shot_sets.cifar10("test")

    def store(label):
        record = bytes([label]) + bytes(3072)
        with tarfile.open(served, "w:gz") as content:
            member = tarfile.TarInfo("cifar/test_batch.bin")
            member.size = len(record)
            content.addfile(member, io.BytesIO(record))

    store(77)
    with pytest.raises(ValueError, match="labels must be 0 to 9, got 77"):
        few_shot_sets.cifar10("test")
    store(3)
    assert few_shot_sets.cifar10("test")[1].tolist() == [3]
    with pytest.raises(ValueError, match=r"a share of 0\.1 of its classes is no picture"):
        few_shot_sets.cifar10("test", share=0.1)


def test_zip_of_one_file_is_no_folder(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as content:
        content.writestr("x.txt", "1")
    monkeypatch.setattr("efficientlab.datasets.archives.download_zip", lambda *_: tmp_path / "one.zip")
    with pytest.raises(ValueError, match=r"one\.zip must hold one folder, it holds the file x\.txt"):
        fetch_archive("https://example.org/one.zip", tmp_path)


@pytest.mark.parametrize("damage", ["broken", "encrypted", "by another method", "cut off"])
def test_zip_that_cannot_be_unpacked(tmp_path, monkeypatch, damage):
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr("set/a.txt", bytes(range(256)) * 100)
    whole = bytearray(archive.read_bytes())
    entry = whole.index(b"PK\1\2")
    if damage == "broken":
        whole[60:64] = b"\xff" * 4
    elif damage == "encrypted":
        whole[6], whole[entry + 8] = 1, 1
    elif damage == "by another method":
        whole[8], whole[entry + 10] = 99, 99
    else:
        whole = whole[: entry - 1]
    archive.write_bytes(whole)
    monkeypatch.setattr("efficientlab.datasets.archives.download_zip", lambda *_: archive)
    with pytest.raises(ValueError, match=r"set\.zip is not a zip archive"):
        fetch_archive("https://example.org/set.zip", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["set.zip"]


@pytest.mark.parametrize(("pictures", "labels"), [((3, 28, 28), 4), ((3, 32, 32), 3), ((3,), 3)])
def test_footwear_is_pictures_and_a_label_for_each(tmp_path, pictures, labels):
    for kind, shape in {"images-idx3": pictures, "labels-idx1": (labels,)}.items():
        header = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
        (tmp_path / f"t10k-{kind}-ubyte.gz").write_bytes(gzip.compress(header + bytes(np.prod(shape))))
    with pytest.raises(
        ValueError, match=r"t10k-\*-ubyte\.gz must be pictures of 28 × 28 and a label for each"
    ):
        load_edges2shoes("test", tmp_path)


def test_a_pair_needs_two_columns(tmp_path):
    (tmp_path / "train").mkdir()
    Image.new("RGB", (1, 4)).save(tmp_path / "train" / "thin.png")
    with pytest.raises(ValueError, match=r"thin\.png is 1 pixel wide, too narrow for two"):
        paired_pictures(tmp_path, "train", 8)[0][0]
    with pytest.raises(ValueError, match="size must be positive, got 0"):
        paired_pictures(tmp_path, "train", 0)


def test_a_thumbnail_is_no_frame(tmp_path):
    for number in range(1, 5):
        Image.new("RGB", (16, 16), (40 * number, 0, 0)).save(tmp_path / f"{number:05}.png.jpg")
        Image.new("RGB", (16, 16), (40 * number, 0, 0)).save(tmp_path / f"img_{number:05}.jpg")
    for name in ("thumb.jpg", "thumb².jpg"):
        Image.new("RGB", (16, 16)).save(tmp_path / name)
    clip, _ = VideoClips(VideoList(("a",), (tmp_path,), (0,)), 4, 8)[0]
    assert [round(float(red) / 40) for red in clip[:, 0, 4, 4]] == [1, 2, 3, 4]


def test_clips_and_classes_to_load():
    videos = VideoList(("a", "b"), (), ())
    for classes, clips, sentence in (
        ([], 1, "classes must be names"),
        ("a", 1, "classes must be names"),
        (["a", "a"], 1, "none twice"),
        (["a"], 0, "clips must be positive"),
    ):
        with pytest.raises(ValueError, match=sentence):
            load_clips(videos, classes, clips)
    with pytest.raises(TypeError, match=r"frames must be a whole number, got 2\.5"):
        VideoClips(videos, 2.5)
