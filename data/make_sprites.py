"""Make data/sprites.npz: the first images of each Fashion-MNIST class, in the order of the original files.

    python data/make_sprites.py FOLDER

FOLDER holds the four ``*-ubyte.gz`` files, from the official address (`FASHION_URL` in
efficientlab/datasets/fashion.py) or from Debian's package: ``apt-get download dataset-fashion-mnist && dpkg
-x dataset-fashion-mnist_*.deb DIR``, then FOLDER is ``DIR/usr/share/datasets/fashion-mnist``. Nothing is
picked by hand: train and val come from the official training split, test from the official test split.
"""

import sys
from pathlib import Path

import numpy as np
from manifest import record

from efficientlab.datasets.fashion import FASHION_CLASSES, read_idx

PER_CLASS = {"train": 128, "val": 32, "test": 48}
OUT = Path(__file__).parent / "sprites.npz"


def first_of_each_class(labels: np.ndarray, start: int, count: int) -> np.ndarray:
    """Indices, ascending, of the images number start … start + count - 1 of each class."""
    return np.sort(np.concatenate([np.flatnonzero(labels == c)[start : start + count] for c in range(10)]))


def main(folder: Path) -> None:
    arrays = {}
    for split, file, start in (
        ("train", "train", 0),
        ("val", "train", PER_CLASS["train"]),
        ("test", "t10k", 0),
    ):
        images = read_idx(folder / f"{file}-images-idx3-ubyte.gz")
        labels = read_idx(folder / f"{file}-labels-idx1-ubyte.gz")
        keep = first_of_each_class(labels, start, PER_CLASS[split])
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = images[keep], labels[keep]
    partial = OUT.with_suffix(".part.npz")
    np.savez_compressed(partial, **arrays)
    partial.replace(OUT)
    record(
        OUT,
        what="pictures of clothing, 28×28, with labels: "
        + ", ".join(f"{split} {len(FASHION_CLASSES)} × {n}" for split, n in PER_CLASS.items()),
        source="Fashion-MNIST, Zalando Research (Debian dataset-fashion-mnist 0.0~git20200523.55506a9-1)",
        licence="MIT (licences/fashion-mnist.txt)",
        make="python data/make_sprites.py FOLDER",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
