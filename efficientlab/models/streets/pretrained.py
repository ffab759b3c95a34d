"""The shipped networks of lab 7: camera, LiDAR and fusion, each trained with the same seed.

`python -m efficientlab.training.streets.contestants` made the weights; its log stands beside them in ``data/streets``.
Weights are stored in half precision and computed with in single.
"""

from __future__ import annotations

from efficientlab.datasets.files import data_path
from efficientlab.models.gan.pretrained import load_weights
from efficientlab.models.streets.bevfusion import SENSORS, BEVFusion, Sensor

CONTESTANTS: dict[str, tuple[Sensor, ...]] = {"camera": ("camera",), "lidar": ("lidar",), "fusion": SENSORS}
"""By name, the sensors of each network."""


def load_contestant(name: str) -> BEVFusion:
    """One of `CONTESTANTS`, in evaluation mode; errors are those of `datasets.files.data_path`."""
    return load_weights(BEVFusion(CONTESTANTS[name]), data_path(f"streets/{name}.safetensors"), "network.")
