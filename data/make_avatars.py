"""Make data/avatars.npz: faces of DiceBear's style big-smile at 32×32, with what was drawn.

    npm install --prefix FOLDER @dicebear/core@9.4.3 @dicebear/big-smile@9.4.3 @resvg/resvg-js@2.6.2
    python data/make_avatars.py FOLDER

Draws all splits of efficientlab/datasets/gan/avatars.py into FOLDER/avatars.npz, which two minutes suffice for, and
ships the first pictures of each. A picture is drawn at 128×128 and averaged over squares of 4×4 pixels. Each attribute
is drawn for itself, from one generator with a fixed seed: DiceBear's own draws of neighbouring seeds are correlated.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from manifest import record
from numpy.typing import NDArray

from efficientlab.datasets.gan.avatars import ATTRIBUTES, SHIPPED, SIZE, SPLITS

OUT = Path(__file__).parent / "avatars.npz"
DRAWN = 4 * SIZE  # pixels a side, before averaging
OPTIONS = {  # DiceBear's names, in the order of ATTRIBUTES
    "hair": (
        "shortHair", "wavyBob", "bowlCutHair", "bunHair", "bangs", "curlyShortHair", "curlyBob", "shavedHead",
    ),
    "eyes": ("normal", "starstruck", "sleepy"),
    "mouth": ("openedSmile", "unimpressed", "openSad", "teethSmile"),
}  # fmt: skip
SUNGLASSES = 0.25  # share of the pictures
HAIR = np.array([(34, 15, 0), (113, 71, 45), (233, 183, 41), (213, 108, 12), (35, 141, 128), (96, 93, 228)])
SKIN = np.array(  # from light to dark: big-smile's own
    [(255, 228, 192), (245, 215, 177), (239, 204, 159), (226, 186, 135), (201, 156, 98), (164, 117, 57),
     (140, 90, 43), (100, 61, 25)]
)  # fmt: skip


def draw(rng: np.random.Generator) -> tuple[dict[str, object], list[int], float]:
    """The options of one picture, its labels in the order of `ATTRIBUTES`, and its skin from 0 to 1."""
    chosen = {name: int(rng.integers(len(names))) for name, names in OPTIONS.items()}
    glasses, colour, skin = int(rng.random() < SUNGLASSES), int(rng.integers(len(HAIR))), rng.random()
    hair = HAIR[colour] * rng.uniform(0.85, 1.15) + rng.uniform(-12, 12, 3)
    at = skin * (len(SKIN) - 1)
    tone = [np.interp(at, range(len(SKIN)), channel) for channel in SKIN.T]
    options: dict[str, object] = {name: [OPTIONS[name][index]] for name, index in chosen.items()}
    options |= {"accessories": ["sunglasses"], "accessoriesProbability": 100 * glasses}
    options |= {
        "hairColor": [in_hex(hair)],
        "skinColor": [in_hex(np.array(tone))],
        "translateX": 4,
        "translateY": 7,
    }
    return options, [*chosen.values(), glasses, colour], skin


def in_hex(colour: NDArray[np.float64]) -> str:
    return bytes(colour.round().clip(0, 255).astype(np.uint8)).hex()


def rendered(folder: Path, options: list[dict[str, object]]) -> NDArray[np.uint8]:
    """The pictures (N, 32, 32, 3), on white."""
    command = ["node", str(Path(__file__).parent / "draw_avatars.mjs"), str(folder.resolve()), str(DRAWN)]
    lines = "\n".join(map(json.dumps, options)).encode()
    content = subprocess.run(command, input=lines, stdout=subprocess.PIPE, check=True).stdout
    pixels = np.frombuffer(content, np.uint8).reshape(len(options), SIZE, 4, SIZE, 4, 4)
    return pixels[..., :3].mean((2, 4)).round().astype(np.uint8)


def main(folder: Path) -> None:
    assert list(ATTRIBUTES) == [*OPTIONS, "glasses", "colour"]
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in SPLITS.items():
        options, labels, skin = zip(*(draw(rng) for _ in range(count)), strict=True)
        parts = [rendered(folder, list(options[i : i + 500])) for i in range(0, count, 500)]
        arrays[f"{split}_images"] = np.concatenate(parts)
        arrays[f"{split}_labels"] = np.array(labels, np.uint8)
        arrays[f"{split}_skin"] = np.array(skin, np.float32)
    np.savez_compressed(folder / "avatars.npz", **arrays)
    partial = OUT.with_suffix(".part.npz")
    np.savez_compressed(partial, **{name: a[: SHIPPED[name.split("_")[0]]] for name, a in arrays.items()})
    partial.replace(OUT)
    record(
        OUT,
        what="drawn faces with attributes, colour, 32×32: "
        + ", ".join(f"{split} {count:,}" for split, count in SHIPPED.items()),
        source='"Custom Avatar" by Ashley Seo; npm\'s @dicebear/big-smile 9.4.3',
        licence="CC BY 4.0",
        make="python data/make_avatars.py FOLDER",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
