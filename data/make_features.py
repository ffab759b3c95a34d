"""Make data/features/: the networks in whose features generated pictures are measured, with their training logs.

    python data/make_features.py FOLDER

FOLDER holds the four files of Fashion-MNIST, as for make_sprites.py. Three minutes on one core. The run is
seeded; another CPU or version of torch may round differently, so the checksum may change and the figures hardly.
"""

import json
import sys
from pathlib import Path

import torch
from manifest import record, write
from safetensors.torch import save_file
from torch import Tensor

from efficientlab.datasets.fashion import fashion_pictures, read_idx
from efficientlab.training.gan.features import train_features

OUT = Path(__file__).parent / "features"


def fashion(folder: Path, file: str) -> tuple[Tensor, Tensor]:
    images = read_idx(folder / f"{file}-images-idx3-ubyte.gz")
    labels = read_idx(folder / f"{file}-labels-idx1-ubyte.gz")
    return fashion_pictures(torch.tensor(images)), torch.tensor(labels, dtype=torch.int64)


def make(name: str, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], **facts: str) -> None:
    network, log = train_features(train, test)
    print(f"{name}: test accuracy {log.test_accuracy:.4f} after {log.cpu_seconds} CPU s, losses {log.losses}")
    OUT.mkdir(exist_ok=True)
    weights, notes = OUT / f"{name}.safetensors", OUT / f"{name}.json"
    partial = weights.with_suffix(".part")
    save_file(network.state_dict(), partial)
    partial.replace(weights)
    write(notes, json.dumps(log.as_dict(), indent=1) + "\n")
    record(
        weights,
        what=f"classifier (test accuracy {log.test_accuracy:.3f}) in whose features generated pictures are measured",
        make="python data/make_features.py FOLDER",
        **facts,
    )
    record(
        notes,
        what=f"training log of features/{name}.safetensors",
        make="python data/make_features.py FOLDER",
        **facts,
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    make(
        "fashion",
        fashion(folder, "train"),
        fashion(folder, "t10k"),
        source="trained on the 60,000 training pictures of Fashion-MNIST, Zalando Research",
        licence="MIT (licences/fashion-mnist.txt)",
    )
