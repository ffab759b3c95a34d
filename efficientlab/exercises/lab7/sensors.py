"""Lab 7, the checks on the LiDAR's heights and on the fuser: exercises 7.7 and 7.8."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from efficientlab.exercises.cases import (
    drawn_state,
    fit_or_say,
    in_single,
    left_frozen,
    quarters,
    random_tensors,
    state_of,
    tensor_of,
    watched,
)
from efficientlab.exercises.contract import (
    AnswerError,
    Check,
    CheckFailed,
    Values,
    returned_tensor,
    values_judge,
)
from efficientlab.exercises.gradients import gradient

# 7.7 · heights into channels


def _drive_heights(heights_to_channels: Any, case: Values) -> Values:
    coords, leaf = tensor_of(case, "coords"), tensor_of(case, "features").requires_grad_()
    features = leaf * 1.0
    changed = watched(coords, features)
    size = (case["streets"], case["columns"], case["rows"], case["heights"])
    flat = returned_tensor(heights_to_channels(coords, features, size))
    answer: Values = {"map": flat.detach(), "changed": changed(), "trainable": flat.requires_grad}
    if flat.requires_grad:
        place = torch.arange(flat.numel(), dtype=flat.dtype).view(flat.shape)
        answer["gradient"] = gradient(flat, leaf, place)
    return answer


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
    # Streets before and behind, and a rim along each axis, that hold no voxel have a map, too.
    there = tensor_of(cases[0], "coords")[:, 0] == 0
    few = {key: tensor_of(cases[0], key)[there] for key in ("coords", "features")}
    few["coords"] = few["coords"] + torch.tensor([1, 0, 0, 0])
    wider = {"streets": 3, "columns": 4, "rows": 5, "heights": 3}
    return [*cases, in_single({**cases[0], **few, **wider})]


HEIGHTS = Check(
    name="heights_to_channels",
    drive=_drive_heights,
    inputs=_inputs_heights,
    judge=values_judge(
        {
            "map": "the map (street, channel and height, x, y)",
            "trainable": "the map is right but no gradient comes through it: nothing before could be trained",
            "gradient": "the gradient with respect to the features",
            "changed": "the map is right but the coordinates or features that you were given were changed",
        },
        rtol=0.0,
        atol=0.0,
    ),
)


# 7.8 · the fuser


def _drive_fuser(ConvFuser: Any, case: Values) -> Values:
    camera, lidar = tensor_of(case, "camera"), tensor_of(case, "lidar")
    layer = ConvFuser(camera.shape[1], lidar.shape[1], case["out_channels"]).to(camera.dtype)
    state = state_of(case)
    fit_or_say(layer, state)
    layer.load_state_dict(state, strict=False)
    surplus = {name for name, _ in layer.named_parameters()} - set(state)
    if surplus:  # has numbers of its own, which differ from run to run
        return {"missing": "", "surplus": ", ".join(sorted(surplus))}
    layer.train(bool(case["training"]))
    leaves = [camera.requires_grad_(), lidar.requires_grad_()]
    camera, lidar = (leaf * 1.0 for leaf in leaves)
    sensors = str(case["sensors"])
    given = [camera if sensors != "lidar" else None, lidar if sensors != "camera" else None]
    changed, frozen = watched(camera, lidar), left_frozen(layer)
    try:
        fused = returned_tensor(layer(*given))
    except RuntimeError as error:
        if missing := sorted(set(state) - set(layer.state_dict())):
            raise AnswerError("Returned", f"has no {', '.join(missing)}") from error
        raise
    return {
        "missing": ", ".join(sorted(set(state) - set(layer.state_dict()))),
        "surplus": "",
        "out": fused.detach(),
        "gradient_camera": _pulled(fused, leaves[0]),
        "gradient_lidar": _pulled(fused, leaves[1]),
        "frozen": frozen,
        "again": bool(case["training"]) or _alone(layer, given, fused),
        "changed": changed(),
    }


def _pulled(fused: Tensor, leaf: Tensor) -> Tensor:
    """The gradient of a sum with a weight for each number."""
    place = torch.arange(fused.numel(), dtype=fused.dtype).view(fused.shape)
    return gradient(fused, leaf, place / fused.numel())


def _alone(layer: torch.nn.Module, given: list[Tensor | None], fused: Tensor) -> bool:
    """Whether the first street alone, asked for next, gives what it gave in the batch."""
    try:
        alone = returned_tensor(layer(*(x if x is None else x[:1] for x in given)))
    except RuntimeError:
        return False
    return alone.shape == fused[:1].shape and torch.allclose(alone, fused[:1])


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
        (3, 2, 2, "camera", False),
        (2, 3, 3, "lidar", False),
        (3, 3, 2, "camera", False),
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
    return [*cases[:-1], in_single(cases[-1])]


_judge_fuser_values = values_judge(
    {
        "out": "the fused map (street, channel, x, y)",
        "gradient_camera": "the gradient with respect to the camera's map",
        "gradient_lidar": "the gradient with respect to the LiDAR's map",
        "again": "the fused map is right, but not that of another batch, of one street: what was kept from the first?",
        "frozen": "the fused map is right but a parameter of the fuser is frozen",
        "changed": "the fused map is right but one of the sensors' maps was changed",
    },
    rtol=1e-5,
    atol=1e-7,
)


def _judge_fuser(inputs: Values, expected: Values, got: Values) -> None:
    for key, says in (("missing", "has no"), ("surplus", "has more than it should:")):
        if got.get(key):
            raise CheckFailed(f"your fuser {says} {got[key]}.")
    _judge_fuser_values(inputs, expected, got)


FUSER = Check(name="ConvFuser", drive=_drive_fuser, inputs=_inputs_fuser, judge=_judge_fuser)
