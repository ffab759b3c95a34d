"""Enter lab 7's networks into the manifest, after the command that trains them.

python data/record_contestants.py
"""

import json

from manifest import ROOT, record

FOLDER = ROOT / "streets"


def main() -> None:
    log = json.loads((FOLDER / "contestants.json").read_text(encoding="utf-8"))
    facts = {
        "source": "trained here on drawn streets (efficientlab.datasets.streets)",
        "licence": "MIT (LICENSE)",
        "make": log["command"],
    }
    for name in ("camera", "lidar", "fusion"):
        what = f"weights of lab 7's {name} network, seed 0, half precision"
        record(FOLDER / f"{name}.safetensors", what=what, **facts)
    record(FOLDER / "contestants.json", what="training log of lab 7's networks, and their scores", **facts)


if __name__ == "__main__":
    main()
