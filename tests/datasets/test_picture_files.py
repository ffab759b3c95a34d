"""A picture is read as it is meant to be seen, or refused by name."""

import io

import numpy as np
import pytest
from PIL import Image

from efficientlab.datasets.pictures import read_picture
from efficientlab.datasets.reading import is_visible, visible

ORIENTATION = 0x0112
# where the top left corner of the seen picture lies in the stored one, by EXIF orientation
STORED_CORNER = {
    1: (0, 0),
    2: (0, -1),
    3: (-1, -1),
    4: (-1, 0),
    5: (0, 0),
    6: (-1, 0),
    7: (-1, -1),
    8: (0, -1),
}


@pytest.mark.parametrize(("orientation", "corner"), STORED_CORNER.items())
def test_the_cameras_orientation_is_followed(tmp_path, orientation, corner):
    pixels = np.zeros((8, 16, 3), np.uint8)
    row, column = (slice(0, 4) if c == 0 else slice(-4, None) for c in corner)
    pixels[row, column] = 250
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    seen = np.asarray(read_picture(tmp_path / "a.png"))
    assert seen.shape == ((16, 8, 3) if orientation >= 5 else (8, 16, 3))
    assert seen[:4, :4].min() == 250
    assert seen[:4, 4:].max() == seen[4:].max() == 0


def test_sixteen_bits_are_scaled(tmp_path):
    ramp = np.arange(0, 65536, 257, dtype=np.uint16)[None].repeat(2, 0)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    seen = np.asarray(read_picture(tmp_path / "ramp.png"))
    assert seen.shape == (2, 256, 3)
    assert seen[0, :, 0].tolist() == list(range(256))
    depth = np.array([[500, 4000, 128, 129]], np.uint16)
    Image.fromarray(depth).save(tmp_path / "depth.png")
    assert np.asarray(read_picture(tmp_path / "depth.png"))[0, :, 1].tolist() == [2, 16, 0, 1]
    (tmp_path / "depth.pgm").write_bytes(b"P5 3 1 1000\n" + np.array([0, 502, 1000], ">u2").tobytes())
    assert np.asarray(read_picture(tmp_path / "depth.pgm"))[0, :, 1].tolist() == [0, 128, 255]


@pytest.mark.parametrize(
    ("mode", "white"), [("1", 1), ("L", 255), ("LA", (255, 255)), ("RGBA", (255,) * 4), ("P", 255)]
)
def test_other_modes(tmp_path, mode, white):
    Image.new(mode, (3, 2), white).save(tmp_path / "a.png")
    assert np.asarray(read_picture(tmp_path / "a.png")).shape == (2, 3, 3)
    if mode != "P":
        assert np.asarray(read_picture(tmp_path / "a.png")).min() == 255


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_what_cannot_be_decoded_is_named(tmp_path, suffix):
    file = tmp_path / f"a.{suffix}"
    Image.effect_noise((64, 64), 50).save(file)
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"text", whole[:12]):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=rf"a\.{suffix} cannot be decoded"):
            read_picture(file)
    with pytest.raises(ValueError, match="member cannot be decoded"):
        read_picture(io.BytesIO(b"text"), "member")


def test_numbers_without_a_white_are_refused(tmp_path):
    Image.fromarray(np.ones((2, 2), np.float32)).save(tmp_path / "a.tiff")
    with pytest.raises(ValueError, match=r"a\.tiff holds numbers of 32 bits"):
        read_picture(tmp_path / "a.tiff")


def test_hidden_files_and_folders_stay_hidden(tmp_path):
    for name in (".ipynb_checkpoints", "__MACOSX", "@eaDir", "b.jpg"):
        (tmp_path / name).mkdir()
    for name in ("._a.jpg", ".DS_Store", "a.JPG", "c.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in visible(tmp_path, (".jpg",))] == ["a.JPG"]
    assert [path.name for path in visible(tmp_path)] == ["a.JPG", "b.jpg", "c.txt"]
    assert not is_visible(tmp_path / "__MACOSX")
