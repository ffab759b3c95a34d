"""Make data/emoji.png: faces, animals, plants and food from Noto Emoji as one sheet of 32 × 32 tiles, row by row.

    python data/make_emoji.py FOLDER

FOLDER is the npm package that data/noto.py describes. These are the categories whose things have a colour of their
own; people are lab 3's. The sheet has 256 colours, which takes a third of the bytes and is hardly seen.

No emoji has a skin tone or a gender here, but many are variants of one drawing: hearts in nine colours, faces that
differ by an eyebrow, two camels. So that no test picture is a training picture in disguise, the first of each kind
stays and its near-duplicates (`near_duplicates` of efficientlab/datasets/gan/emoji.py) are left out. What remains is
shuffled with a fixed seed; the splits follow each other as in `EMOJI` there.
"""

import random
import sys
from pathlib import Path

import numpy as np
import torch
from noto import arranged, entries, on_white, ship
from PIL import Image

from efficientlab.datasets.gan.edges import Pairs, draw_edges
from efficientlab.datasets.gan.emoji import EMOJI, EMOJI_COLUMNS, near_duplicates

CATEGORIES = ("Smileys & Emotion", "Animals & Nature", "Food & Drink")
OUT = Path(__file__).parent / "emoji.png"


def different(tiles: np.ndarray) -> list[int]:
    """The numbers of the tiles that are no near-duplicates of an earlier one that stays: tiles (N, 32, 32, 3)."""
    picture = torch.tensor(tiles).permute(0, 3, 1, 2)  # (N, 3, 32, 32)
    pairs = Pairs(draw_edges(picture), picture)
    alike = near_duplicates(pairs, pairs)
    stay: list[int] = []
    for i in range(len(tiles)):
        if not alike[i, stay].any():
            stay.append(i)
    return stay


def main(folder: Path) -> None:
    chosen = [e for e in entries(folder) if e["category"] in CATEGORIES and e["has_img_google"]]
    chosen.sort(key=lambda e: (CATEGORIES.index(e["category"]), e["sort_order"]))
    tiles = on_white(folder, [(e["sheet_x"], e["sheet_y"]) for e in chosen])
    column = Image.fromarray(arranged(tiles, 1)).quantize(256, dither=Image.Dither.NONE)
    palette = column.getpalette()
    indices = np.asarray(column).reshape(-1, 32, 32)
    stay = different(np.asarray(column.convert("RGB")).reshape(-1, 32, 32, 3))
    random.Random(0).shuffle(stay)
    print(f"{len(chosen)} emoji, {len(stay)} without near-duplicates, {sum(EMOJI.values())} shipped")
    sheet = Image.fromarray(arranged(indices[stay[: sum(EMOJI.values())]], EMOJI_COLUMNS))
    sheet.putpalette(palette)
    ship(
        sheet,
        OUT,
        what="emoji, colour, 32×32, one sheet: " + ", ".join(f"{n} {name}" for name, n in EMOJI.items()),
        make="python data/make_emoji.py FOLDER",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
