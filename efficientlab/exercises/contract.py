"""What an exercise is, and how an answer to it is checked.

An exercise names one thing that the student's code defines, and three small functions:

- `inputs(seed)` draws the cases, as flat dictionaries of tensors and plain values;
- `drive(answer, case)` runs the student's answer on one case and returns a flat dictionary of tensors. It is
  the only part that runs beside the student's code: in the notebook, or in the grader's box;
- `judge(case, expected, got)` compares, and runs where the score is kept.

A check is therefore written once. It takes `student`, a callable from a case to outputs, and does not know
where that callable runs. Expected values come with the case: recorded ones in the notebook (`goldens.py`),
the solution's own on fresh seeds in the grader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from efficientlab.exercises.slips import Evidence, known_slip
from efficientlab.exercises.values import Value, Values, close, differs, is_number, plain

UNTOLD = ("state.", "upstream")
"""How keys begin that no answer is given: the weights of a state, and what the check multiplies gradients with."""

Student = Callable[[Values], Values]
Judge = Callable[[Values, Values, Values], None]


class CheckFailed(Exception):
    """An answer is wrong. The first line says what is wrong; `detail` shows where.

    `slip` is the sentence of the planted misconception whose outputs the answer gives; `cause` is what the answer
    raised. Both are None where it is neither.
    """

    def __init__(
        self, message: str, detail: str = "", slip: str | None = None, cause: AnswerError | None = None
    ) -> None:
        super().__init__(message if not detail else f"{message}\n{detail}")
        self.message = message
        self.detail = detail
        self.slip = slip
        self.cause = cause

    def _render_traceback_(self) -> list[str]:
        """Notebooks show these lines in place of a traceback through the checker, which helps nobody."""
        return [f"CheckFailed: {self.message}", *self.detail.splitlines()]


class NotWritten(CheckFailed):
    """The exercise still holds its stub."""


class Lent(CheckFailed):
    """The answer is the solution's, handed out by `lab.borrow`."""


class Stopped(CheckFailed):
    """The answer did not come to an end by itself: to run it again for a diagnosis would cost as much again."""


class AnswerError(Exception):
    """The student's code raised. `kind` is its exception's class; `trace` is the part of it in their code.

    The kind `Returned` is a driver's: the code ran, and `text` says what is wrong with the kind of thing it gave.
    """

    def __init__(self, kind: str, text: str, trace: str = "") -> None:
        super().__init__(f"{kind}: {text}" if text else kind)
        self.kind = kind
        self.text = text
        self.trace = trace


@dataclass(frozen=True)
class Check:
    """The checkable part of an exercise; see the module's docstring for the three functions."""

    name: str
    drive: Callable[[Any, Values], Values]
    inputs: Callable[[int], list[Values]]
    judge: Judge


@dataclass(frozen=True)
class Exercise:
    """One exercise as data. `kind` 'investigate' has no check: a person reads the answer."""

    id: str
    title: str
    kind: Literal["build", "predict", "investigate", "kernel"]
    points: int
    minutes: int
    stars: int
    check: Check | None = None

    @property
    def bonus(self) -> bool:
        """Kernel corners are on top of the lab's 100 points."""
        return self.kind == "kernel"

    @property
    def cell(self) -> str:
        """The nbgrader id of the cell that holds the student's answer."""
        return f"ex-{self.id.replace('.', '-')}"


@dataclass(frozen=True)
class Case:
    """One recorded or fresh case: what goes in, what the solution answers, what known slips would answer."""

    inputs: Values
    expected: Values
    slips: Mapping[str, Values | str]  # slip's sentence → its outputs, or the error it raises


def run_check(check: Check, student: Student, cases: Sequence[Case], diagnose: Sequence[Case] = ()) -> int:
    """Run `student` on every case and return how many passed: all of them, or `CheckFailed` is raised.

    The failure is named after the slip that the student's outputs on the recorded cases (`diagnose`, by default
    `cases` themselves) show; see `slips`.
    """
    if not cases:
        raise ValueError(f"there are no cases to check `{check.name}` with; build the lab again.")
    asked: list[Evidence] = []
    for case in cases:
        evidence, failure = _ask(check, student, case)
        asked.append(evidence)
        if failure is None:
            continue
        if isinstance(failure, NotWritten | Lent | Stopped):
            raise failure
        slip = None
        if any(case.slips for case in diagnose or cases):
            # nothing is asked twice
            known, left = ([], diagnose) if diagnose else (asked, cases[len(asked) :])
            slip = known_slip([*known, *(_ask(check, student, recorded)[0] for recorded in left)])
        if slip is None:
            raise failure
        detail = "\n".join(filter(None, (failure.message, failure.detail)))
        raise CheckFailed(f"{slip}.", detail, slip, failure.cause)
    return len(cases)


def _ask(check: Check, student: Student, case: Case) -> tuple[Evidence, CheckFailed | None]:
    """What the answer gives on one case, and what is wrong with it; None where nothing is."""
    got: Values | str
    failure: CheckFailed | None = None
    try:
        got = student(case.inputs)
    except AnswerError as error:
        got, failure = str(error), _raised(check, case.inputs, error)
    else:
        try:
            check.judge(case.inputs, case.expected, got)
        except CheckFailed as found:
            failure = found
        except (TypeError, ValueError, OverflowError, KeyError, RuntimeError) as error:
            failure = CheckFailed(f"the answer cannot be compared: {error}")
    return Evidence(case.expected, case.slips, got, right=failure is None), failure


def _raised(check: Check, inputs: Values, error: AnswerError) -> CheckFailed:
    """What there is to say of an answer that raised."""
    if error.kind == "NotImplementedError" and error.text.startswith("Exercise "):
        return NotWritten(error.text)
    if error.kind == "Borrowed":
        return Lent(error.text)
    where = f"on the case: {describe(inputs)}"
    if error.kind == "Returned":
        return CheckFailed(f"`{check.name}` {error.text}", where, cause=error)
    failed = Stopped if error.kind in ("Timeout", "Crash", "BadReply") else CheckFailed
    lines = str(error).splitlines()  # `load_state_dict` writes one for each of its tensors
    said = "\n".join([*lines[:3], "…"] if len(lines) > 3 else lines)
    return failed(f"`{check.name}` raised {said}", f"{where}\n{error.trace}".rstrip(), cause=error)


def returned_tensor(value: Any, what: str = "") -> torch.Tensor:
    """`value`, which must be a tensor; `AnswerError` says what the student's code returned instead."""
    if isinstance(value, torch.Tensor):
        return value
    raise AnswerError(
        "Returned", f"returned {kind_of(value)}{what} where a tensor belongs{_forgotten(value)}"
    )


def returned_dictionary(value: Any, verb: str = "returned") -> dict[Any, Any]:
    """`value`, which must be a dictionary, with its numbers as Python's."""
    if isinstance(value, dict):
        return {key: plain(number) for key, number in value.items()}
    raise AnswerError("Returned", f"{verb} {kind_of(value)} where a dictionary belongs{_forgotten(value)}")


def returned_tuple(value: Any, what: str, length: int = 2) -> tuple[Any, ...]:
    """`value`, which must be a tuple or list of this length, with its numbers as Python's; `what` names what belongs
    there.
    """
    if isinstance(value, tuple | list) and len(value) == length:
        return tuple(plain(number) for number in value)
    given = f"a {kind_of(value)} of {len(value)}" if isinstance(value, tuple | list) else kind_of(value)
    raise AnswerError("Returned", f"returned {given} where {what} belongs{_forgotten(value)}")


def returned_number(value: Any) -> int | float:
    """`value`, which must be one number: Python's, numpy's, or a tensor of one."""
    number = plain(value)
    if isinstance(number, int | float) and not isinstance(number, bool):
        return number
    raise AnswerError("Returned", f"returned {kind_of(value)} where a number belongs{_forgotten(value)}")


def kind_of(value: Any) -> str:
    """The name of a value's type; None is called by its name."""
    return "None" if value is None else type(value).__name__


def _forgotten(value: Any) -> str:
    return "; is a `return` missing?" if value is None else "."


def values_judge(meaning: Mapping[str, str], rtol: float = 1e-4, atol: float = 1e-6) -> Judge:
    """A judge that compares outputs by value, in the order of `meaning`, which names each in the lab's words.

    Of an output that is a truth value, `meaning` says what is wrong when it is not as expected. Tolerances are those
    of `values.close`.
    """

    def judge(inputs: Values, expected: Values, got: Values) -> None:
        for key, name in meaning.items():
            want = expected[key]
            if key not in got:
                problem = f"{name} {_missing(key, expected, got)}"
            elif isinstance(want, bool):
                problem = "" if close(want, plain(got[key])) else f"{name}."
            else:
                wrong = difference(want, got[key], rtol, atol)
                problem = f"{name} {wrong}" if wrong else ""
            if problem:
                raise CheckFailed(problem, f"on the case: {describe(inputs)}")

    return judge


def counts_judge(verb: str = "is") -> Judge:
    """A judge of whole numbers, all that are expected, which says by which factor one is off.

    Keys are what the lab calls the numbers; `verb` follows them. A key with a truth value says what is wrong when it
    is not as expected.
    """

    def judge(inputs: Values, expected: Values, got: Values) -> None:
        case = f"on the case: {describe(inputs)}"
        for name, want in expected.items():
            assert isinstance(want, int)
            if name not in got:
                raise CheckFailed(f"{name} {verb} {_missing(name, expected, got).removeprefix('is ')}", case)
            have = plain(got[name])
            if isinstance(want, bool):
                if have is not want:
                    raise CheckFailed(f"{name}.", case)
            elif not is_number(have):
                raise CheckFailed(f"{name} {verb} {have!r}; give an integer.", case)
            elif have != want:
                raise CheckFailed(f"{name} {verb} {_off(want, have)}", case)

    return judge


def _missing(key: str, expected: Values, got: Values) -> str:
    """What to say of an output that is not there: the names that are there and that nobody asked for, if any."""
    others = [repr(name) for name in got if name not in expected]
    return "is missing from the answer" + (f"; it has {', '.join(others[:4])}." if others else ".")


def _off(want: int, have: float) -> str:
    """By how much a count is off: by a factor, and by a difference where the factor is nearly 1."""
    if not want:
        return f"{have:,}; expected 0."
    share = abs(have - want) / abs(want)
    if share < 0.02:
        return f"{abs(have - want):,} too {'large' if have > want else 'small'} ({100 * share:.2g} %)."
    return f"{have / want:.4g} times the right number, {have - want:+,} off."


def difference(want: Value, got: Value, rtol: float, atol: float) -> str:
    """Say in words how `got` differs from `want`; empty when it does not."""
    if isinstance(want, torch.Tensor):
        if not isinstance(got, torch.Tensor):
            return f"is {kind_of(got)}, where a tensor belongs, of shape {tuple(want.shape)}."
        if want.shape != got.shape:
            return f"has shape {tuple(got.shape)}; expected {tuple(want.shape)}."
        if want.dtype != got.dtype:
            return f"has dtype {got.dtype}; expected {want.dtype}."
        if close(want, got, rtol, atol):
            return ""
        if want.ndim == 0:
            return f"is {got.item():.6g}; expected {want.item():.6g}."
        return f"is {_first_difference(want, got, rtol, atol)}"
    got = plain(got)
    if close(want, got, rtol, atol):
        return ""
    if isinstance(want, float) and is_number(got):
        return f"is {got:.6g}; expected {want:.6g}."
    return f"is {got!r}; expected {want!r}."


def _first_difference(want: torch.Tensor, got: torch.Tensor, rtol: float, atol: float) -> str:
    wrong = differs(want, got, rtol, atol)
    index = tuple(int(i) for i in wrong.nonzero()[0])
    share = 100 * wrong.double().mean().item()
    return (
        f"wrong in {share:.0f} % of its entries. The first is at index "
        f"[{', '.join(map(str, index))}]: got {got[index].item():.6g}, expected {want[index].item():.6g}."
    )


def describe(values: Values) -> str:
    """A case in one line: shapes for tensors, values for the rest, nothing of what is `UNTOLD`."""
    return ", ".join(
        f"{k} of shape {tuple(v.shape)} {str(v.dtype).removeprefix('torch.')}"
        if isinstance(v, torch.Tensor)
        else f"{k} = {v!r}"
        for k, v in values.items()
        if not k.startswith(UNTOLD)
    )
