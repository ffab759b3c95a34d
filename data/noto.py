"""Noto Emoji's pictures out of npm's emoji-datasource-google, for make_people.py and make_emoji.py.

FOLDER is the npm package `emoji-datasource-google`, version 16.0.0, unpacked: ``npm pack
emoji-datasource-google@16.0.0``, ``tar xzf emoji-datasource-google-16.0.0.tgz``, then FOLDER is ``package``.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from manifest import record
from numpy.typing import NDArray
from PIL import Image

from efficientlab.files import replacing


def entries(folder: Path) -> list[dict[str, Any]]:
    """What the package says about each emoji."""
    rows: list[dict[str, Any]] = json.loads((folder / "emoji.json").read_text(encoding="utf-8"))
    return rows


def on_white(folder: Path, places: list[tuple[int, int]]) -> NDArray[np.uint8]:
    """Tiles of the package's 32-pixel sheet, laid on white: uint8 (N, 32, 32, 3). A place is (column, row)."""
    source = Image.open(folder / "img" / "google" / "sheets-clean" / "32.png").convert("RGBA")
    tiles = []
    for column, row in places:
        x, y = 34 * column + 1, 34 * row + 1
        picture = source.crop((x, y, x + 32, y + 32))
        tile = Image.new("RGB", (32, 32), "white")
        tile.paste(picture, mask=picture)
        tiles.append(np.asarray(tile))
    return np.stack(tiles)


def arranged(tiles: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """One sheet, row by row: (N, 32, 32, …) → (32 · N / columns, 32 · columns, …)."""
    rows = tiles.reshape(-1, columns, *tiles.shape[1:]).swapaxes(1, 2)  # (rows, 32, columns, 32, …)
    return rows.reshape(-1, 32 * columns, *tiles.shape[3:])


def ship(sheet: Image.Image, path: Path, what: str, make: str) -> None:
    """Write a sheet and enter it into the manifest."""
    with replacing(path) as part:
        sheet.save(part, format="PNG", optimize=True)
    record(
        path,
        what=what,
        source="Noto Emoji, Google; npm's emoji-datasource-google 16.0.0",
        licence="Apache-2.0 (licences/noto-emoji.txt)",
        make=make,
    )
