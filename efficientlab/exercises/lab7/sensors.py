"""Lab 7, the checks on the LiDAR's heights and on the fuser: exercises 7.7 and 7.8."""

from __future__ import annotations

from typing import Any

import torch

from efficientlab.exercises.cases import drawn_state, quarters, random_tensors, state_of, tensor_of
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Values,
    returned_tensor,
    values_judge,
)

# 7.7 · heights into channels


def _drive_heights(heights_to_channels: Any, case: Values) -> Values:
    coords, features = tensor_of(case, "coords"), tensor_of(case, "features")
    size = (case["streets"], case["columns"], case["rows"], case["heights"])
    return {"map": returned_tensor(heights_to_channels(coords, features, size))}


def _inputs_heights(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    generator = torch.Generator().manual_seed(seed)
    cases: list[Values] = []
    for n, x, y, z, c, voxels in ((2, 3, 4, 2, 3, 16), (1, 5, 2, 3, 2, 9), (3, 2, 3, 4, 1, 20)):
        place = torch.randperm(n * x * y * z, generator=generator)[:voxels]
        coords = torch.stack([place // (x * y * z), place // (y * z) % x, place // z % y, place % z], 1)
        coords[0] = torch.tensor([n - 1, 0, 0, 0])
        coords[1] = torch.tensor([n - 1, 0, 0, z - 1])  # two heights of one cell
        keep = ~((coords[2:, None] == coords[None, :2]).all(2).any(1))
        coords = torch.cat([coords[:2], coords[2:][keep]])
        case: Values = {"coords": coords, "features": randn(len(coords), c, dtype=torch.float64)}
        cases.append(case | {"streets": n, "columns": x, "rows": y, "heights": z})
    return cases


HEIGHTS = Check(
    name="heights_to_channels",
    drive=_drive_heights,
    inputs=_inputs_heights,
    judge=values_judge({"map": "the map (street, channel and height, x, y)"}, rtol=0.0, atol=0.0),
)


# 7.8 · the fuser


def _drive_fuser(ConvFuser: Any, case: Values) -> Values:
    camera, lidar = tensor_of(case, "camera"), tensor_of(case, "lidar")
    layer = ConvFuser(camera.shape[1], lidar.shape[1], case["out_channels"]).double()
    state = state_of(case)
    layer.load_state_dict(state, strict=False)
    surplus = {name for name, _ in layer.named_parameters()} - set(state)
    if surplus:  # has numbers of its own, which differ from run to run
        return {"missing": "", "surplus": ", ".join(sorted(surplus))}
    layer.train(bool(case["training"]))
    given: dict[str, Any] = {"both": (camera, lidar), "camera": (camera, None), "lidar": (None, lidar)}
    try:
        fused = returned_tensor(layer(*given[str(case["sensors"])]))
    except RuntimeError as error:
        if missing := sorted(set(state) - set(layer.state_dict())):
            raise AnswerError("Returned", f"has no {', '.join(missing)}") from error
        raise
    return {
        "missing": ", ".join(sorted(set(state) - set(layer.state_dict()))),
        "surplus": "",
        "out": fused.detach(),
    }


class _Shapes(torch.nn.Module):
    """The names and shapes of a fuser's parameters."""

    def __init__(self, camera: int, lidar: int, out: int) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(camera + lidar, out, 3, bias=False)
        self.norm = torch.nn.BatchNorm2d(out)


def _inputs_fuser(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for camera, lidar, out, sensors, training in (
        (2, 3, 4, "both", False),
        (3, 3, 2, "both", True),
        (3, 3, 2, "camera", False),
        (2, 3, 3, "lidar", False),
    ):
        state = {
            k: v.double()
            for k, v in drawn_state(_Shapes(camera, lidar, out), randn).items()
            if torch.is_tensor(v)
        }
        weight = state["state.conv.weight"]
        state["state.conv.weight"] = quarters(2 * weight)  # quarters: sums of products are exact
        case: Values = {
            "camera": quarters(randn(2, camera, 4, 5, dtype=torch.float64)),
            "lidar": quarters(randn(2, lidar, 4, 5, dtype=torch.float64)),
            "out_channels": out,
            "sensors": sensors,
            "training": training,
        }
        cases.append(case | state)
    return cases


_judge_fuser_values = values_judge({"out": "the fused map (street, channel, x, y)"}, rtol=1e-5, atol=1e-7)


def _judge_fuser(inputs: Values, expected: Values, got: Values) -> None:
    for key, says in (("missing", "has no"), ("surplus", "has more than it should:")):
        if got.get(key):
            raise CheckFailed(f"your fuser {says} {got[key]}.")
    _judge_fuser_values(inputs, expected, got)


FUSER = Check(name="ConvFuser", drive=_drive_fuser, inputs=_inputs_fuser, judge=_judge_fuser)
