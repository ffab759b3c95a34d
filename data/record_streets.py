"""Enter the networks of labs 6 and 7, data/streets/*, into the manifest, after the commands that train them.

python -m efficientlab.training.streets.super_network && python data/record_streets.py
python -m efficientlab.training.streets.contestants && python data/record_streets.py
"""

import json

from manifest import ROOT, record

FOLDER = ROOT / "streets"
LOGS = {
    "super_network": {"super_network": "lab 6's super-network"},
    "contestants": {name: f"lab 7's {name} network, seed 0" for name in ("camera", "lidar", "fusion")},
}
"""By log, the networks that its command trains."""


def main() -> None:
    for log, networks in LOGS.items():
        path = FOLDER / f"{log}.json"
        facts = {
            "source": "trained here on drawn streets (efficientlab.datasets.streets)",
            "licence": "MIT (LICENSE)",
            "make": json.loads(path.read_text(encoding="utf-8"))["command"],
        }
        for name, what in networks.items():
            record(FOLDER / f"{name}.safetensors", what=f"weights of {what}, half precision", **facts)
        of = ", ".join(f"streets/{name}.safetensors" for name in networks)
        record(path, what=f"training log of {of}", **facts)


if __name__ == "__main__":
    main()
