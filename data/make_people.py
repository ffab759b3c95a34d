"""Make data/people.png: people from Noto Emoji as one sheet of 32 × 32 tiles, row by row.

    python data/make_people.py FOLDER

FOLDER is the npm package `emoji-datasource-google`, version 16.0.0, unpacked: ``npm pack
emoji-datasource-google@16.0.0``, ``tar xzf emoji-datasource-google-16.0.0.tgz``, then FOLDER is ``package``. Tiles of
its 32-pixel sheet are laid on white.

A person comes in up to six skin tones and three genders, which differ little. So that no held-out picture is a training
picture in another colour, all forms of one role are in one split. Roles and pictures are in a random order with a fixed
seed; the splits follow each other as in `PEOPLE` of efficientlab/datasets/few_shot.py.
"""

import json
import random
import sys
from collections import defaultdict
from pathlib import Path

from manifest import record
from PIL import Image

from efficientlab.datasets.few_shot import PEOPLE, PEOPLE_COLUMNS

SUBCATEGORIES = ("person", "person-role", "person-gesture", "person-fantasy")
NOT_A_ROLE = {
    "200D",
    "FE0F",
    "2640",
    "2642",
    "1F468",
    "1F469",
    "1F9D1",
}  # joiners, gender, man, woman, person
OUT = Path(__file__).parent / "people.png"


def role(entry: dict) -> str:
    """The code points of an emoji that are left without gender: what all its forms share."""
    points = entry["unified"].split("-")
    return "-".join(p for p in points if p not in NOT_A_ROLE) or points[0]


def forms(entry: dict) -> list[tuple[int, int]]:
    """Column and row in the sheet of an emoji and of its skin tones."""
    tones = [form for key, form in entry.get("skin_variations", {}).items() if "-" not in key]
    return [(form["sheet_x"], form["sheet_y"]) for form in (entry, *tones) if form["has_img_google"]]


def main(folder: Path) -> None:
    roles: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for entry in json.loads((folder / "emoji.json").read_text(encoding="utf-8")):
        if entry["subcategory"] in SUBCATEGORIES:
            roles[role(entry)] += forms(entry)
    rng = random.Random(0)
    order = sorted(roles)
    rng.shuffle(order)
    tiles: list[tuple[int, int]] = []
    for size in PEOPLE.values():
        split: list[tuple[int, int]] = []
        while len(split) < size:
            split += roles[order.pop()]
        rng.shuffle(split)
        tiles += split[:size]
    source = Image.open(folder / "img" / "google" / "sheets-clean" / "32.png").convert("RGBA")
    sheet = Image.new("RGB", (32 * PEOPLE_COLUMNS, 32 * (len(tiles) // PEOPLE_COLUMNS)), "white")
    for i, (column, row) in enumerate(tiles):
        x, y = 34 * column + 1, 34 * row + 1
        tile = source.crop((x, y, x + 32, y + 32))
        sheet.paste(tile, (i % PEOPLE_COLUMNS * 32, i // PEOPLE_COLUMNS * 32), tile)
    partial = OUT.with_suffix(".part.png")
    sheet.save(partial, optimize=True)
    partial.replace(OUT)
    record(
        OUT,
        what="people, colour, 32×32, one sheet: " + ", ".join(f"{n} {name}" for name, n in PEOPLE.items()),
        source="Noto Emoji, Google; npm's emoji-datasource-google 16.0.0",
        licence="Apache-2.0 (licences/noto-emoji.txt)",
        make="python data/make_people.py FOLDER",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
