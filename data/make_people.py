"""Make data/people.png: people from Noto Emoji as one sheet of 32 × 32 tiles, row by row.

    python data/make_people.py FOLDER

FOLDER is the npm package that data/noto.py describes.

A person comes in up to six skin tones and three genders, which differ little. So that no held-out picture is a training
picture in another colour, all forms of one role are in one split. Roles and pictures are in a random order with a fixed
seed; the splits follow each other as in `PEOPLE` of efficientlab/datasets/gan/few_shot.py.
"""

import random
import sys
from collections import defaultdict
from pathlib import Path

from noto import arranged, entries, on_white, ship
from PIL import Image

from efficientlab.datasets.gan.few_shot import PEOPLE, PEOPLE_COLUMNS

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
    for entry in entries(folder):
        if entry["subcategory"] in SUBCATEGORIES:
            roles[role(entry)] += forms(entry)
    rng = random.Random(0)
    order = sorted(roles)
    rng.shuffle(order)
    places: list[tuple[int, int]] = []
    for size in PEOPLE.values():
        split: list[tuple[int, int]] = []
        while len(split) < size:
            split += roles[order.pop()]
        rng.shuffle(split)
        places += split[:size]
    ship(
        Image.fromarray(arranged(on_white(folder, places), PEOPLE_COLUMNS)),
        OUT,
        what="people, colour, 32×32, one sheet: " + ", ".join(f"{n} {name}" for name, n in PEOPLE.items()),
        make="python data/make_people.py FOLDER",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
