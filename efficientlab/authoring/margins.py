"""How far recorded and fresh outputs move when the arithmetic changes, in parts of the tolerance for them.

Another processor rounds otherwise. A case is sound if the outputs of the solution, of every other right answer and of
every planted slip move by less than a tenth of the tolerance; where they do not, it is the case that has to change.

    python -m efficientlab.authoring.margins 1 3       # the worst ten of these labs; without numbers, of all labs
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import torch
from torch import Tensor

from efficientlab.authoring.build import source_path
from efficientlab.authoring.recording import SEED, Answers, alternative_files, mutant_files, record_cases
from efficientlab.authoring.source import read_source
from efficientlab.exercises import goldens
from efficientlab.exercises.contract import AnswerError, Exercise, Student, Values
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import MODULES, find_lab
from efficientlab.exercises.values import Value, allowance
from efficientlab.frontend import progress_bar

ALLOWED = 0.1
"""The part of the tolerance that an output may move by."""
RTOL, ATOL = 1e-4, 1e-6
FRESH_SEED = 20261
PROCESSORS = ("default", "avx2")  # values of ATEN_CPU_CAPABILITY

Outcome = Values | str
Disturbance = Callable[[Student, Values], Outcome]


@dataclass(frozen=True, order=True)
class Margin:
    """How far one answer's output on one case moves under one disturbance: `factor` times the tolerance."""

    factor: float
    exercise: str
    case: str
    answer: str
    output: str
    disturbance: str

    def __str__(self) -> str:
        return (
            f"{self.factor:8.4f}  {self.exercise:<5} {self.case:<12} {self.answer:<34} "
            f"{self.output:<28} {self.disturbance}"
        )


def margins(
    exercise: str,
    cases: Mapping[str, Values],
    answers: Mapping[str, Student],
    disturbances: Sequence[str] = (),
) -> Iterator[Margin]:
    """The margins of these answers on these cases, both by name, under the named `disturbances`, by default all."""
    for case, inputs in cases.items():
        for name, student in answers.items():
            still = _outcome(student, inputs)
            for disturbance in disturbances or DISTURBANCES:
                moved = DISTURBANCES[disturbance](student, inputs)
                factor, output = movement(still, moved)
                yield Margin(factor, exercise, case, name, output, disturbance)


def drawn(exercise: Exercise) -> dict[str, Values]:
    """The recorded cases of an exercise, and as many fresh ones, by name."""
    assert exercise.check is not None
    seeds = {"recorded": SEED, "fresh": FRESH_SEED}
    return {
        f"{kind} {number}": inputs
        for kind, seed in seeds.items()
        for number, inputs in enumerate(exercise.check.inputs(seed))
    }


def answers_to(answers: Answers, exercise: Exercise) -> dict[str, Student]:
    """The solution, the other right answers and the planted slips of an exercise, by name."""
    paths = [*alternative_files(answers.lab, exercise), *mutant_files(answers.lab, exercise)]
    named = {path.stem: answers.student(exercise, path.read_text(encoding="utf-8")) for path in paths}
    return {"solution": answers.student(exercise), **named}


def movement(still: Outcome, moved: Outcome) -> tuple[float, str]:
    """How far the output that moves furthest did, as a multiple of its tolerance, and its name."""
    if isinstance(still, str) or isinstance(moved, str):
        same = isinstance(still, str) and isinstance(moved, str) and _kind(still) == _kind(moved)
        return (0.0 if same else float("inf")), "the error"
    if still.keys() != moved.keys():
        return float("inf"), "the names"
    factors = {key: _movement(still[key], moved[key]) for key in still}
    worst = max(factors, key=lambda key: factors[key], default="nothing")
    return factors.get(worst, 0.0), worst


def _movement(a: Value, b: Value) -> float:
    if isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape == b.shape:
        if not a.numel():
            return 0.0
        a, b = a.double(), b.double()
        off = torch.where((a == b) | (a.isnan() & b.isnan()), 0.0, (a - b).abs())
        return (off / allowance(a, RTOL, ATOL)).nan_to_num(float("inf")).max().item()
    if isinstance(a, float) and isinstance(b, float) and a == a and b == b:
        return abs(a - b) / max(RTOL * abs(a), ATOL)
    return 0.0 if a == b or (a != a and b != b) else float("inf")


def _outcome(student: Student, inputs: Values) -> Outcome:
    try:
        return student(inputs)
    except AnswerError as error:
        return str(error)


def _kind(error: str) -> str:
    return error.partition(":")[0]


def _inputs_off(student: Student, inputs: Values) -> Outcome:
    """Drawn numbers are off by one part in 10⁶, equal ones alike. Multiples of a quarter were chosen, and stay."""

    def off(x: Tensor) -> Tensor:
        sign = torch.where((1e4 * x.double()).sin() < 0, -1e-6, 1e-6)
        return torch.where((4 * x).frac() == 0, x.double(), x.double() * (1 + sign)).to(x.dtype)

    return _outcome(student, {k: _like(v, off(v)) if _is_float(v) else v for k, v in inputs.items()})


def _double(student: Student, inputs: Values) -> Outcome:
    """In double precision throughout; where an answer or its driver insists on single, there is nothing to compare.

    Nor is there where an answer draws: with another type it draws other numbers.
    """
    if inputs.keys() & {"seed", "draw_seed"}:
        return _outcome(student, inputs)
    with _default_dtype(torch.float64):
        wide = {k: v.double() if _is_float(v) and v.dtype == torch.float32 else v for k, v in inputs.items()}
        got = _outcome(student, wide)
    still = _outcome(student, inputs)
    return still if isinstance(got, str) and not isinstance(still, str) else got


def _another_way(student: Student, inputs: Values) -> Outcome:
    """Without oneDNN, and with another number of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if threads > 1 else 2)
    try:
        with torch.backends.mkldnn.flags(enabled=False):
            return _outcome(student, inputs)
    finally:
        torch.set_num_threads(threads)


DISTURBANCES: dict[str, Disturbance] = {
    "inputs off by 1e-6": _inputs_off,
    "double precision": _double,
    "no oneDNN, other threads": _another_way,
}


def _is_float(value: Value) -> TypeGuard[Tensor]:
    return isinstance(value, Tensor) and value.dtype in (torch.float32, torch.float64)


def _like(value: Value, moved: Tensor) -> Tensor:
    """`moved` with the strides of `value`."""
    assert isinstance(value, Tensor)
    return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype).copy_(moved)


@contextlib.contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def other_processors(lab: Lab, capabilities: Iterable[str] = PROCESSORS) -> Iterator[Margin]:
    """What is recorded, against what the same code records with other vector instructions, in a process of its own."""
    kept = goldens.load(lab.slug)
    for capability in capabilities:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [sys.executable, "-m", "efficientlab.authoring.margins", str(lab.number), "--record", folder],
                env={**os.environ, "ATEN_CPU_CAPABILITY": capability},
                check=True,
            )
            now = goldens.load(lab.slug, Path(folder))
        for exercise_id, cases in kept.items():
            for number, (a, b) in enumerate(zip(cases, now[exercise_id], strict=True)):
                pairs: list[tuple[str, Outcome, Outcome]] = [("solution", a.expected, b.expected)]
                pairs += [(slip[:34], a.slips[slip], b.slips[slip]) for slip in a.slips]
                for name, still, moved in pairs:
                    factor, output = movement(still, moved)
                    yield Margin(
                        factor, exercise_id, f"recorded {number}", name, output, f"ATEN {capability}"
                    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labs", nargs="*", type=int, default=list(MODULES))
    parser.add_argument("--record", type=Path, help="only record the labs' cases into this folder")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    labs = [find_lab(number) for number in options.labs]
    if options.record:
        for lab in labs:
            goldens.save(lab.slug, record_cases(read_source(source_path(lab), lab), lab), options.record)
        return 0
    solutions = [Answers(read_source(source_path(lab), lab), lab) for lab in labs]
    checked = [(answers, e) for answers in solutions for e in answers.lab.exercises if e.check]
    parts = [(e.id, drawn(e), answers_to(answers, e)) for answers, e in checked]
    outcomes = sum(len(cases) * len(answers) for _, cases, answers in parts) * len(DISTURBANCES)
    found: list[Margin] = []
    with progress_bar(outcomes, "outcome", "disturbed") as bar:
        for part in parts:
            for margin in margins(*part):
                found.append(margin)
                bar.set_postfix_str(margin.exercise, refresh=False)
                bar.update()
    with progress_bar(len(labs), "lab", "other processors") as bar:
        for lab in labs:
            found += other_processors(lab)
            bar.update()
    worst: dict[str, Margin] = {}
    for margin in sorted(found):
        worst[margin.exercise] = margin
    for margin in sorted(worst.values(), reverse=True)[:10]:
        print(margin)
    over = sum(margin.factor > ALLOWED for margin in found)
    if found:
        print(f"{len(found):,} outputs, {over} of them move by more than {ALLOWED:g} of the tolerance")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
