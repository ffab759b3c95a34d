"""One picture file as it is meant to be seen: turned upright, 8 bits a channel."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

_SCALED = {"PNG", "PPM"}  # what Pillow hands out in 32 bits though it has 16
_WHITE_16 = 257  # 65,535 / 255: what one step of 8 bits is in 16


def read_picture(
    file: Path | IO[bytes], name: str | Path | None = None, remedy: str = "unpack or download it again"
) -> Image:
    """The picture in RGB. The camera's orientation (EXIF) is followed; 16 bits a channel are scaled to 8.

    Args:
        file: a path, or an open binary file.
        name: what a fault calls it; the path itself if not given.
        remedy: what to do where it cannot be decoded.

    Raises:
        FileNotFoundError: the file is not there.
        ValueError: it is no picture, is truncated, or holds numbers without a white: floats, or integers of 32 bits
            in anything but a PNG or a PGM, which have 16.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    called = name or file
    try:
        with Image.open(file) as opened:
            kind = opened.format
            picture = ImageOps.exif_transpose(opened)
            picture.load()
    except FileNotFoundError:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{called} cannot be decoded ({error}); {remedy}.") from error
    if picture.mode.startswith("I;16") or (picture.mode == "I" and kind in _SCALED):
        deep = np.asarray(picture).astype(np.int64)
        return Image.fromarray(((deep + _WHITE_16 // 2) // _WHITE_16).clip(0, 255).astype(np.uint8)).convert(
            "RGB"
        )
    if picture.mode in ("I", "F"):
        raise ValueError(
            f"{called} holds numbers of 32 bits, which have no white; save it with 8 or 16 bits a channel."
        )
    return picture.convert("RGB")
