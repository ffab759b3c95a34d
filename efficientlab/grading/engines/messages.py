"""Plans, submissions and records as JSON, between the parts of the grader."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from efficientlab.grading.grader import Plan
from efficientlab.grading.record import Incoming
from efficientlab.grading.sandbox.limits import Limits


def plan_to_json(plan: Plan) -> dict[str, Any]:
    return asdict(plan)


def plan_from_json(raw: dict[str, Any]) -> Plan:
    return Plan(**{**raw, "limits": Limits(**raw["limits"])})


def incoming_to_json(incoming: Incoming) -> dict[str, Any]:
    return {**asdict(incoming), "path": str(incoming.path.resolve())}


def incoming_from_json(raw: dict[str, Any]) -> Incoming:
    return Incoming(**{**raw, "path": Path(raw["path"]), "notes": tuple(raw["notes"])})
