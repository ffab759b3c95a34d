"""Make data/footwear.npz: the first pictures of each split of edges → shoes, in the order of the original files.

    python data/make_footwear.py FOLDER

FOLDER is as for make_sprites.py. Nothing is picked by hand; `efficientlab.datasets.gan.edges` says what the splits are.
"""

import sys
from pathlib import Path

import numpy as np
from manifest import record

from efficientlab.datasets.gan.edges import SHIPPED, footwear

OUT = Path(__file__).parent / "footwear.npz"


def main(folder: Path) -> None:
    arrays = {split: footwear(split, folder)[:count] for split, count in SHIPPED.items()}
    partial = OUT.with_suffix(".part.npz")
    np.savez_compressed(partial, **arrays)
    partial.replace(OUT)
    record(
        OUT,
        what="pictures of footwear, 28×28: "
        + ", ".join(f"{split} {len(pictures):,}" for split, pictures in arrays.items()),
        source="Fashion-MNIST, Zalando Research (Debian dataset-fashion-mnist 0.0~git20200523.55506a9-1)",
        licence="MIT (licences/fashion-mnist.txt)",
        make="python data/make_footwear.py FOLDER",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
