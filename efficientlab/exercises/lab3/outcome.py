"""Lab 3, the checks on the predicted comparison and the measured leak: exercises 3.8 and 3.9."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from efficientlab.exercises.cases import tensor_of
from efficientlab.exercises.contract import (
    Check,
    CheckFailed,
    Values,
    is_number,
    returned_dictionary,
    returned_number,
    values_judge,
)

# 3.8 · the comparison, predicted

VARIANTS = ("none", "reals only", "D only", "DiffAugment")


def _drive_prediction(prediction: Any, case: Values) -> Values:
    prediction = returned_dictionary(prediction, "is")
    numbers = {k: v for k, v in prediction.items() if is_number(v)}
    return {
        "variants": ", ".join(sorted(map(str, prediction))),
        "numbers": len(numbers) == len(prediction),
        "ranks": ", ".join(f"{float(v):g}" for v in sorted(numbers.values())),
    }


def _judge_prediction(inputs: Values, expected: Values, got: Values) -> None:
    given, wanted = (set(str(values["variants"]).split(", ")) for values in (got, expected))
    if given != wanted:
        missing, unknown = ", ".join(sorted(wanted - given)), ", ".join(sorted(given - wanted))
        raise CheckFailed(f"missing from the prediction: {missing or 'none'}; unknown: {unknown or 'none'}.")
    if got["numbers"] is not True:
        raise CheckFailed("every prediction is a number: the place, from 1 (best) to 4 (worst).")
    if got["ranks"] != expected["ranks"]:
        raise CheckFailed(f"the places are {got['ranks']}; give each of 1, 2, 3 and 4 once.")


PREDICTION = Check(
    name="fid_ranking",
    drive=_drive_prediction,
    inputs=lambda seed: [{"seed": seed}],
    judge=_judge_prediction,
)


# 3.9 · leakage


def _drive_leakage(leakage: Any, case: Values) -> Values:
    clean, augmented, samples = (tensor_of(case, key) for key in ("clean", "augmented", "samples"))
    weight = tensor_of(case, "weight")

    def detector(x: Tensor) -> Tensor:
        return x.flatten(1) @ weight  # logits (N,): positive for augmented

    return {"share": float(returned_number(leakage(detector, samples, clean, augmented)))}


def _inputs_leakage(seed: int) -> list[Values]:
    generator = torch.Generator().manual_seed(seed)
    randn = partial(torch.randn, generator=generator)
    weight = F.normalize(randn(8), dim=0)

    def pictures(n: int, middle: float) -> Tensor:
        flat = randn(n, 8)
        flat += (middle - flat @ weight + 0.7 * randn(n))[:, None] * weight  # logits around `middle`
        return flat.view(n, 2, 2, 2)

    cases: list[Values] = []
    for a, b, c, middle in ((40, 30, 50, 0.1), (30, 60, 20, -0.2), (20, 20, 30, -4.0), (25, 50, 40, 4.0)):
        clean, augmented, samples = pictures(a, -0.5), pictures(b, 0.6), pictures(c, middle)
        augmented[:2] = 0.0  # their logits are exactly 0, which is not positive
        cases.append({"clean": clean, "augmented": augmented, "samples": samples, "weight": weight})
    return cases


LEAKAGE = Check(
    name="leakage",
    drive=_drive_leakage,
    inputs=_inputs_leakage,
    judge=values_judge({"share": "the estimated share of augmented pictures"}, rtol=1e-6, atol=1e-6),
)
