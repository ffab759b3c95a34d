"""The command that trains lab 7's networks, with a few steps: what it writes, and that its weights are its networks."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from efficientlab.datasets.streets.views import street_views
from efficientlab.models.streets.bevfusion import BEVFusion
from efficientlab.models.weights import load_weights
from efficientlab.training.streets import contestants
from efficientlab.training.streets.fit import predict


@pytest.mark.slow
def test_networks_logs_and_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contestants, "data_root", lambda: tmp_path)
    monkeypatch.setattr(contestants, "STREETS", {"train": 4, "val": 2, "test": 2})
    monkeypatch.setattr(contestants, "RECIPE", {"batch": 4, "lr": 1e-3})
    monkeypatch.setattr(contestants, "APART", 1)
    monkeypatch.setattr(contestants, "ON", 1)
    built: dict[str, BEVFusion] = {}
    save = contestants.save_weights

    def saved(path: Path, network: Any) -> None:
        built[path.stem] = network
        save(path, network=network)

    monkeypatch.setattr(contestants, "save_weights", saved)
    contestants.main(["--seeds", "1"])
    log = json.loads((tmp_path / "streets" / "contestants.json").read_text())
    scores = {run["network"]: run["scores"] for run in log["runs"]}
    single = {"camera, 8 epochs", "lidar, 8 epochs"}
    assert set(scores) == {*contestants.CONTESTANTS, *contestants.BRIEF, *single}
    camera, lidar, fusion = (scores[name] for name in contestants.CONTESTANTS)
    assert set(camera) == {"day", "night", "4 beams", "3° off"}
    assert set(fusion) > {"no camera", "no lidar"}
    assert lidar["day"] == lidar["night"] == lidar["3° off"]  # a LiDAR sees no light, and no camera's mount
    assert camera["day"] == camera["4 beams"]
    assert 0 < fusion["day"]["mIoU"] < 100
    views = street_views("test", 1)
    for name, sensors in contestants.CONTESTANTS.items():
        again = load_weights(BEVFusion(sensors), tmp_path / "streets" / f"{name}.safetensors", "network.")
        before, after = (predict(net, views).map for net in (built[name], again))
        assert torch.allclose(before, after, atol=0.05)  # half precision


def test_fusion_starts_from_both() -> None:
    camera, lidar = BEVFusion(("camera",)), BEVFusion(("lidar",))
    model = contestants.joined(camera, lidar)
    assert model.camera is not None and model.lidar is not None
    assert camera.camera is not None and lidar.lidar is not None
    for mine, trained in (
        (model.camera, camera.camera),
        (model.lidar, lidar.lidar),
        (model.head, lidar.head),
    ):
        pairs = zip(mine.parameters(), trained.parameters(), strict=True)
        assert all(torch.equal(a, b) and a is not b for a, b in pairs)
    assert model.dropout == contestants.DROPOUT
