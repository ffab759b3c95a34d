"""Recorded cases: what the solution and every known slip answered when the lab was built.

One safetensors file a lab. Tensors are stored under `exercise/case/role/key`; plain values, and the errors
that slips raise, stand in the file's metadata as JSON under the same path.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from efficientlab.exercises.contract import Case, Values
from efficientlab.files import replacing

ORDER = "#order"  # of an exercise's outputs, as the solution gives them
STRIDES = "#strides"  # a key's suffix in the metadata, for tensors that are not contiguous
FOLDER = Path(__file__).parent / "goldens"


def save(slug: str, cases: dict[str, list[Case]], folder: Path = FOLDER) -> Path:
    """Write all cases of a lab (by exercise id) to `folder/slug.safetensors`, atomically; return the path."""
    tensors: dict[str, torch.Tensor] = {}
    plain: dict[str, object] = {}
    for exercise, recorded in cases.items():
        for number, case in enumerate(recorded):
            at = f"{exercise}/{number}"
            _put(tensors, plain, f"{at}/in", case.inputs)
            _put(tensors, plain, f"{at}/out", case.expected)
            plain[f"{at}/out{ORDER}"] = list(case.expected)
            for index, (sentence, outcome) in enumerate(sorted(case.slips.items())):
                plain[f"{at}/slip{index}"] = [sentence, outcome if isinstance(outcome, str) else None]
                if not isinstance(outcome, str):
                    _put(tensors, plain, f"{at}/slip{index}", outcome)
    path = folder / f"{slug}.safetensors"
    with replacing(path) as part:
        save_file(tensors, part, metadata={"plain": json.dumps(plain, sort_keys=True)})
    return path


def load(slug: str, folder: Path = FOLDER) -> dict[str, list[Case]]:
    """Read a lab's recorded cases, by exercise id; `FileNotFoundError` says how to make the file."""
    path = folder / f"{slug}.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; make it with: efficientlab build {slug.split('_')[0]}")
    entries, order = _read(path)
    parts: dict[tuple[str, int], dict[str, Values]] = {}  # (exercise, case) → role → outputs
    slips: dict[tuple[str, int], dict[str, tuple[str, str | None]]] = {}  # → role → sentence, error
    for key, value in entries.items():
        exercise, number, role, *name = key.split("/", 3)
        at = (exercise, int(number))
        if name:
            parts.setdefault(at, {}).setdefault(role, {})[name[0]] = value
        else:
            slips.setdefault(at, {})[role] = (value[0], value[1])
    cases: dict[str, list[Case]] = {}
    for at in sorted(parts):
        exercise, case = at
        roles = parts[at]
        out = roles.get("out", {})
        expected = {key: out[key] for key in order.get(f"{exercise}/{case}/out", out)}
        known = {
            sentence: error if error is not None else roles.get(role, {})
            for role, (sentence, error) in slips.get(at, {}).items()
        }
        cases.setdefault(exercise, []).append(Case(roles.get("in", {}), expected, known))
    return cases


def _read(path: Path) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The file's tensors, with their strides, and plain values, by path; and the order of each case's outputs."""
    with safe_open(path, "pt") as file:
        plain = json.loads(file.metadata()["plain"])
        strides = {key.removesuffix(STRIDES): value for key, value in plain.items() if key.endswith(STRIDES)}
        order = {key.removesuffix(ORDER): value for key, value in plain.items() if key.endswith(ORDER)}
        entries = {key: value for key, value in plain.items() if not key.endswith((STRIDES, ORDER))}
        for key in file.keys():  # noqa: SIM118 (not a dict)
            tensor = file.get_tensor(key)
            if key in strides:
                tensor = torch.empty_strided(tensor.shape, strides[key], dtype=tensor.dtype).copy_(tensor)
            entries[key] = tensor
    return entries, order


def _put(tensors: dict[str, torch.Tensor], plain: dict[str, object], at: str, values: Values) -> None:
    for key, value in values.items():
        if isinstance(value, torch.Tensor):
            tensors[f"{at}/{key}"] = value.detach().clone(memory_format=torch.contiguous_format)
            if not value.is_contiguous() and 0 not in value.stride():  # an expanded one cannot be written
                plain[f"{at}/{key}{STRIDES}"] = list(value.stride())
        else:
            plain[f"{at}/{key}"] = value
