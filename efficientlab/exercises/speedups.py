"""How a prediction of speed-ups is checked: its form, since what it is worth is measured afterwards."""

from __future__ import annotations

import math
from typing import Any

from efficientlab.exercises.contract import Check, CheckFailed, Values, is_number, returned_dictionary


def _drive_latency_ratios(latency_ratios: Any, case: Values) -> Values:
    latency_ratios = returned_dictionary(latency_ratios, "is")
    numbers = [v for v in latency_ratios.values() if is_number(v)]
    return {
        "names": ", ".join(sorted(map(str, latency_ratios))),
        "numbers": len(numbers) == len(latency_ratios),
        "defined": all(math.isfinite(v) for v in numbers),
        "positive": not any(v <= 0 for v in numbers),
        # with one picture the smaller network may well be slower, for it has more calls: one number below 1 is no slip
        "faster": not numbers or not all(0 < v < 1 for v in numbers),
    }


def ratios_check(slow: str, fast: str) -> Check:
    """A check that `latency_ratios` says of each batch how many times faster than `slow` the network `fast` is."""

    def judge(inputs: Values, expected: Values, got: Values) -> None:
        if got["names"] != expected["names"]:
            raise CheckFailed(f"the names are {got['names']}; expected {expected['names']}.")
        for key, sentence in {
            "numbers": f"every prediction is a number: how many times faster than {slow}.",
            "defined": "every prediction is a finite number.",
            "positive": "a speedup is a positive number.",
            "faster": f"both below 1 would say that {fast} is always slower than {slow}; was the ratio turned over?",
        }.items():
            if got[key] is not True:
                raise CheckFailed(sentence)

    return Check(
        name="latency_ratios",
        drive=_drive_latency_ratios,
        inputs=lambda seed: [{"unit": f"{slow}'s latency over {fast}'s"}],
        judge=judge,
    )
