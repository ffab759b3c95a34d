"""Make data/features/avatars.*: the classifier in whose features avatars are measured, with its training log.

    python data/make_attributes.py FOLDER

FOLDER holds the full set, as make_avatars.py left it there. Half a minute on one core. Stored in half precision.
"""

import json
import sys
from pathlib import Path

import torch
from manifest import record, write
from safetensors.torch import save_file

from efficientlab.datasets.gan.avatars import load_avatars
from efficientlab.files import replacing
from efficientlab.models.gan.attributes import CLASSES, attribute_accuracy, attribute_loss, targets, to_pixels
from efficientlab.training.gan.features import train_features

OUT = Path(__file__).parent / "features"


def main(folder: Path) -> None:
    train, test = load_avatars("train", folder), load_avatars("test", folder)
    network, log = train_features(
        (to_pixels(train.pictures), targets(train)),
        (to_pixels(test.pictures), targets(test)),
        epochs=3,
        batch=64,
        classes=CLASSES,
        widths=(24, 48, 96, 96),
        loss_of=attribute_loss,
        accuracy_of=attribute_accuracy,
    )
    print(f"avatars: accuracy {log.test_accuracy:.4f} after {log.cpu_seconds} CPU s, losses {log.losses}")
    weights, notes = OUT / "avatars.safetensors", OUT / "avatars.json"
    half = {name: v.half() if v.is_floating_point() else v for name, v in network.state_dict().items()}
    with replacing(weights) as part:
        save_file(half, part)
    write(notes, json.dumps(log.as_dict(), indent=1) + "\n")
    for path, what in (
        (
            weights,
            f"classifier of avatars' attributes (test accuracy {log.test_accuracy:.3f}), for measuring",
        ),
        (notes, "training log of features/avatars.safetensors"),
    ):
        record(
            path,
            what=what,
            source='trained here on "Custom Avatar" by Ashley Seo, as drawn by make_avatars.py',
            licence="CC BY 4.0",
            make="python data/make_attributes.py FOLDER",
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
