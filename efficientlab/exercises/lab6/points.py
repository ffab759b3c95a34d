"""Lab 6's checks between points and voxels: averaging (6.7), interpolation (6.8), and the block of both (6.9)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from efficientlab.exercises.cases import (
    drawn_state,
    fit_or_say,
    in_single,
    left_frozen,
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
from efficientlab.exercises.lab6.drawn import drawn_points, drawn_voxels, far_voxels
from efficientlab.kernels import SparseTensor, downsample, occupied_voxels

# 6.7 and 6.8 · point_to_voxel, voxel_to_point


def _drive(answer: Any, case: Values, *order: str) -> Values:
    leaf, upstream = tensor_of(case, "features"), tensor_of(case, "upstream")
    leaf.requires_grad_()
    features = leaf * 1.0
    given = {
        "features": features,
        "points": tensor_of(case, "points"),
        "coords": tensor_of(case, "coords").int(),
    }
    kept = {name: value.detach().clone() for name, value in given.items()}
    y = returned_tensor(answer(*(given[name] for name in order), case["stride"]))
    changed = any(not torch.equal(value.detach(), kept[name]) for name, value in given.items())
    if y.shape != upstream.shape:
        raise AnswerError(
            "Returned", f"returned shape {tuple(y.shape)} where {tuple(upstream.shape)} belongs."
        )
    result: Values = {"out": y.detach(), "changed": changed, "trainable": y.requires_grad}
    if y.requires_grad:
        result["gradient"] = gradient(y, leaf, upstream)
    return result


def _drive_point_to_voxel(point_to_voxel: Any, case: Values) -> Values:
    return _drive(point_to_voxel, case, "features", "points", "coords")


def _drive_voxel_to_point(voxel_to_point: Any, case: Values) -> Values:
    return _drive(voxel_to_point, case, "features", "coords", "points")


def _inputs_point_to_voxel(seed: int) -> list[Values]:
    randn = random_tensors(seed)
    cases: list[Values] = []
    for clouds, points, low, high, stride, channels in (
        (2, 40, -2, 2, 1, 2),
        (2, 30, -5, 5, 4, 3),
        (1, 24, -3, 4, 2, 1),
    ):
        at = drawn_points(seed, clouds, points, low, high)
        at[:3, 1:] = at[:3, 1:].floor()  # on the lower border of a voxel of stride 1, which belongs to it
        coords = downsample(occupied_voxels(at), stride).long()
        empty = coords[-1:] + torch.tensor([0, 3, 3, 3])  # the last voxel has no point
        order = torch.randperm(len(coords), generator=torch.Generator().manual_seed(seed))
        coords = torch.cat([coords[order[2:]], empty])  # and the points of two voxels have none
        if stride == 1:  # points that are far from a given voxel, and in none
            at = torch.cat([at, far_voxels(coords[0]).double() + torch.tensor([0, 0.5, 0.5, 0.5])])
        features = randn(len(at), channels, dtype=torch.float64)
        upstream = randn(len(coords), channels, dtype=torch.float64)
        cases.append(
            {"features": features, "points": at, "coords": coords, "stride": stride, "upstream": upstream}
        )
    return [*cases, in_single(cases[1])]


def _inputs_voxel_to_point(seed: int) -> list[Values]:
    # Close to 0, where a last digit of a coordinate is small beside the weights that come of it.
    randn = random_tensors(seed)
    cases: list[Values] = []
    for clouds, points, low, high, stride in ((2, 22, -1, 1, 1), (2, 24, -1, 1, 3), (1, 12, -1, 1, 2)):
        at = drawn_points(seed, clouds, points, low, high)
        at[:, 1:] *= stride
        coords = downsample(occupied_voxels(at), stride).long()
        if stride == 1:
            coords = torch.cat([far_voxels(coords[0]), coords])
        cases.append({"points": at, "coords": coords, "stride": stride})
    whole = drawn_voxels(seed, 1, 12, -2, 2)  # a point at a voxel's lower corner reads that voxel alone
    # and one without any voxel around it reads 0, one with a single far corner reads that, however small its weight
    more = torch.tensor([[0.0, 50.2, 50.3, 50.4], [1, 0.0625, 0.0625, 0.0625]], dtype=torch.float64)
    coords = torch.cat([whole, torch.tensor([[1, 1, 1, 1]])])
    cases.append({"points": torch.cat([whole.double(), more]), "coords": coords, "stride": 1})
    for case, channels in zip(cases, (2, 3, 1, 2), strict=True):  # of one sign, so that no sum cancels
        case["features"] = 1 + 0.3 * randn(len(tensor_of(case, "coords")), channels, dtype=torch.float64)
        case["upstream"] = 1 + 0.3 * randn(len(tensor_of(case, "points")), channels, dtype=torch.float64)
    return [*cases, in_single(cases[1])]


def _meaning(what: str) -> dict[str, str]:
    return {
        "out": what,
        "trainable": "the features are right but no gradient comes through them",
        "gradient": "the gradient with respect to the features",
        "changed": "the features are right but one of the inputs was changed",
    }


POINT_TO_VOXEL = Check(
    name="point_to_voxel",
    drive=_drive_point_to_voxel,
    inputs=_inputs_point_to_voxel,
    judge=values_judge(_meaning("the voxels' mean features (voxel, channel)")),
)
VOXEL_TO_POINT = Check(
    name="voxel_to_point",
    drive=_drive_voxel_to_point,
    inputs=_inputs_voxel_to_point,
    judge=values_judge(_meaning("the points' interpolated features (point, channel)")),
)


# 6.9 · the block


class _Beside(nn.Module):
    """A voxel branch that needs a skip: a matrix of both, side by side."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.mix = nn.Linear(in_channels + skip_channels, out_channels)

    def forward(self, x: SparseTensor, skip: SparseTensor) -> SparseTensor:
        return x.replace(self.mix(torch.cat([x.features, skip.features], 1)))


def _voxel_layers(stride: int, in_channels: int, out_channels: int, skips: int) -> nn.Module:
    from efficientlab.models.streets.layers import ConvNorm

    if skips:
        return _Beside(in_channels, 2, out_channels)
    if stride == 1:
        return ConvNorm(in_channels, out_channels)
    halved = [ConvNorm(in_channels, out_channels, 2, 2), ConvNorm(out_channels, out_channels, 2, 2)]
    return nn.Sequential(*halved[: stride // 2])


def _drive_spvconv(SPVConv: Any, case: Values) -> Values:
    z_leaf, x_leaf, points = (tensor_of(case, key) for key in ("z", "x", "points"))
    coords, stride, skips = tensor_of(case, "coords").int(), int(case["stride"]), int(case["skips"])
    c_in, c_out = int(case["in_channels"]), int(case["out_channels"])
    layer = SPVConv(_voxel_layers(stride, x_leaf.shape[1], c_out, skips), c_in, c_out, stride)
    if not isinstance(layer, nn.Module):
        raise AnswerError("Returned", f"makes {type(layer).__name__}; derive the class from nn.Module.")
    layer = layer.double()
    state = state_of(case)
    fit_or_say(layer, state)
    layer.load_state_dict(state, strict=False)
    missing = ", ".join(sorted(set(state) - set(layer.state_dict())))
    surplus = ", ".join(sorted({name for name, _ in layer.named_parameters()} - set(state)))
    if missing or surplus:
        return {"missing": missing, "surplus": surplus}
    frozen = left_frozen(layer)
    layer.eval()  # a batch's own statistics would cancel what the cases are to show
    z_leaf.requires_grad_(), x_leaf.requires_grad_()
    x, z_given = SparseTensor(coords, x_leaf * 1.0), z_leaf * 1.0
    beside = [x.replace(tensor_of(case, "skip"))] if skips else []
    changed = watched(points, coords, x.features, z_given, *(skip.features for skip in beside))
    returned = layer(x, z_given, points, *beside)
    if (
        not isinstance(returned, tuple | list)
        or len(returned) != 2
        or not isinstance(returned[0], SparseTensor)
    ):
        raise AnswerError(
            "Returned", "returned something else than the refreshed voxels (a SparseTensor) and z."
        )
    voxels, z = returned[0], returned_tensor(returned[1])
    for name, have, want in (
        ("z", z, tensor_of(case, "upstream_z")),
        ("x", voxels.features, tensor_of(case, "upstream_x")),
    ):
        if have.shape != want.shape:
            raise AnswerError(
                "Returned",
                f"returned shape {tuple(have.shape)} for {name} where {tuple(want.shape)} belongs.",
            )
    total = (z * tensor_of(case, "upstream_z")).sum() + (
        voxels.features * tensor_of(case, "upstream_x")
    ).sum()
    again = _one_point_less(layer, x, z_leaf * 1.0, points, beside, z)
    leaves = [z_leaf, x_leaf]
    grads = torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True)
    layer.train()
    layer.get_submodule("voxel_layers").eval()  # what the block is given is not the student's
    with torch.no_grad():
        twice = [layer(x, z_leaf * 1.0, points, *beside)[1] for _ in range(2)]
    statistics = "point_layers.1.running_mean"
    return {
        "missing": "",
        "surplus": "",
        "z": z.detach(),
        "coords": voxels.coords.long(),
        "x": voxels.features.detach(),
        "gradient_z": grads[0],
        "gradient_x": grads[1],
        "again": again,
        "draws": not torch.allclose(*twice),
        "learns": not torch.equal(layer.state_dict()[statistics], state[statistics]),
        "frozen": frozen,
        "changed": changed(),
    }


def _one_point_less(
    layer: nn.Module, x: SparseTensor, z: Tensor, points: Tensor, beside: list[SparseTensor], known: Tensor
) -> bool:
    """Whether, asked without the last point, the block gives the others what it gave them before."""
    try:
        with torch.no_grad():
            _, again = layer(x, z[:-1], points[:-1], *beside)
    except RuntimeError:
        return False
    return again.shape == known[:-1].shape and torch.allclose(again, known[:-1])


def _inputs_spvconv(seed: int) -> list[Values]:
    from efficientlab.models.streets.spvcnn import SPVConv

    randn = random_tensors(seed)

    def drawn(*shape: int) -> Tensor:
        """Of one sign, so that no sum cancels."""
        return 1 + 0.3 * randn(*shape, dtype=torch.float64)

    cases: list[Values] = []
    for clouds, count, reach, stride, c_x, c_in, c_out, skips in (
        (2, 24, 1, 1, 2, 3, 4, 0),
        (2, 30, 2, 2, 3, 2, 3, 0),
        (1, 30, 3, 4, 2, 3, 2, 0),
        (1, 20, 1, 1, 3, 2, 4, 1),
    ):
        points = drawn_points(seed, clouds, count, -reach, reach)
        coords = occupied_voxels(points)
        state = drawn_state(SPVConv(_voxel_layers(stride, c_x, c_out, skips), c_in, c_out, stride), randn)
        case: Values = {
            "x": drawn(len(coords), c_x),
            "coords": coords.long(),
            "z": drawn(count, c_in),
            "points": points,
            "in_channels": c_in,
            "out_channels": c_out,
            "stride": stride,
            "skips": skips,
            "upstream_z": drawn(count, c_out),
            "upstream_x": drawn(len(downsample(coords, stride)), c_out),
        }
        if skips:
            case["skip"] = drawn(len(coords), 2)
        cases.append(case | {name: tensor_of(state, name).double() for name in state})
    return cases


_judge_spvconv_values = values_judge(
    {
        "z": "z, the points' new features (point, channel),",
        "coords": "the voxels' coordinates",
        "x": "z is right, but x, the refreshed voxels' features (voxel, channel),",
        "again": "z and x are right, but not for other points, asked for next: what was kept from the first?",
        "gradient_z": "the gradient with respect to the points' features",
        "gradient_x": "the gradient with respect to the voxels' features",
        "draws": "all is right in eval mode, but in training the same call gives something else the second time",
        "learns": "all is right in eval mode, but the batch norm's running statistics do not move in training",
        "frozen": "all is right but a parameter of the block, or of the layers that it is given, is frozen",
        "changed": "the answer is right but the points, or the features of points or voxels, were changed",
    }
)


def _judge_spvconv(inputs: Values, expected: Values, got: Values) -> None:
    if got["missing"]:
        raise CheckFailed(
            f"the block has no {got['missing']}: parameters and buffers need the names of the exercise."
        )
    if got["surplus"]:
        raise CheckFailed(f"the block has {got['surplus']}, which the exercise leaves out.")
    _judge_spvconv_values(inputs, expected, got)


SPVCONV = Check(name="SPVConv", drive=_drive_spvconv, inputs=_inputs_spvconv, judge=_judge_spvconv)
