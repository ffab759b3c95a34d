"""Enter lab 6's super-network into the manifest, after the command that trains it.

python data/record_super_network.py
"""

import json

from manifest import ROOT, record

FOLDER = ROOT / "streets"


def main() -> None:
    log = json.loads((FOLDER / "super_network.json").read_text(encoding="utf-8"))
    facts = {
        "source": "trained here on drawn streets (efficientlab.datasets.streets)",
        "licence": "MIT (LICENSE)",
        "make": log["command"],
    }
    what = "weights of lab 6's super-network, half precision"
    record(FOLDER / "super_network.safetensors", what=what, **facts)
    record(FOLDER / "super_network.json", what="training log of streets/super_network.safetensors", **facts)


if __name__ == "__main__":
    main()
