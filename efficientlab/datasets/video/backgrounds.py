"""Backgrounds: short clips from free video, and a few camera moves over free photographs (data/README.md)."""

import numpy as np
from numpy.typing import NDArray

from efficientlab.datasets.files import data_path, manifest

Clip = NDArray[np.uint8]


def load_backgrounds() -> list[tuple[str, Clip]]:
    """The shipped clips, in order of their names.

    Returns:
        (name, frames) pairs; frames is uint8 (F, h, w, 3) in RGB, with F in the clip's own time order.

    Raises:
        FileNotFoundError, ValueError: a data file is missing or damaged.
    """
    rows = manifest()
    files = sorted(name for name in rows if name.startswith("backgrounds/"))
    return [
        (name.removeprefix("backgrounds/").removesuffix(".jpg"), _film(name, rows[name]["frames"]))
        for name in files
    ]


def _film(name: str, frames: int) -> Clip:
    """Reads a film strip: one JPEG whose F frames stand below each other.

    A frame's height is a multiple of JPEG's 8-pixel block and colour is not subsampled: no frame leaks into
    the next, and decoders agree on every pixel.
    """
    from PIL import Image

    with Image.open(data_path(name)) as image:
        strip = np.asarray(image.convert("RGB"))  # (F·h, w, 3)
    return strip.reshape(frames, -1, *strip.shape[1:]).copy()  # (F, h, w, 3)
