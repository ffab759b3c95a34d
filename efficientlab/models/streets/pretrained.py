"""Lab 7's trained networks: cameras alone, the LiDAR alone, and both.

`python -m efficientlab.training.streets.contestants` makes the weights, and their log beside them in ``data/streets``.
Weights are stored in half precision and computed with in single.
"""

from __future__ import annotations

from efficientlab.datasets.files import data_path
from efficientlab.models.streets.bevfusion import SENSORS, BEVFusion, Sensor
from efficientlab.models.weights import load_weights

CONTESTANTS: dict[str, tuple[Sensor, ...]] = {"camera": ("camera",), "lidar": ("lidar",), "fusion": SENSORS}
"""By name, the sensors of each network."""


def load_contestant(name: str) -> BEVFusion:
    """One of `CONTESTANTS` in evaluation mode; errors are those of `datasets.files.data_path`."""
    return load_weights(BEVFusion(CONTESTANTS[name]), data_path(f"streets/{name}.safetensors"), "network.")
