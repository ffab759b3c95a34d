"""A lab as its notebook sees it: `check` an answer, say what a section `needs`, `lock` a prediction, `summary`."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from efficientlab.exercises import goldens
from efficientlab.exercises.borrow import Borrowed, hand_out
from efficientlab.exercises.contract import Case, Exercise, run_check
from efficientlab.exercises.student import local_student
from efficientlab.exercises.values import is_number, plain


class WaitsFor(Exception):
    """A section was run before what it builds on was there: exercises that are solved, or a guess."""

    def _render_traceback_(self) -> list[str]:
        return [f"WaitsFor: {self}"]


class Locked(Exception):
    """A locked prediction was changed."""

    def _render_traceback_(self) -> list[str]:
        return [f"Locked: {self}"]


class Summary:
    """The table of what passed, as text and as HTML."""

    def __init__(self, rows: list[tuple[str, str, str, str]], total: str) -> None:
        self.rows = rows
        self.total = total

    def __repr__(self) -> str:
        lines = [f"{i:<5} {title:<44} {points:>8}  {state}" for i, title, points, state in self.rows]
        return "\n".join([*lines, self.total])

    def _repr_html_(self) -> str:
        body = "".join(
            f"<tr><td>{i}</td><td style='text-align:left'>{html.escape(t)}</td><td>{p}</td>"
            f"<td style='text-align:left'>{s}</td></tr>"
            for i, t, p, s in self.rows
        )
        words = "<th style='text-align:left'>"
        head = f"<tr><th>Exercise</th>{words}Title</th><th>Points</th>{words}State</th></tr>"
        return f"<table>{head}{body}</table><p><b>{self.total}</b></p>"


@dataclass
class Lab:
    """A lab's exercises and one student's progress through them."""

    number: int
    slug: str
    title: str
    exercises: tuple[Exercise, ...]
    draft: bool = False
    """Not ready for students: `release` refuses it, and tests of a whole lab pass it over."""
    passed: set[str] = field(default_factory=set)
    predictions: dict[str, dict[str, float]] = field(default_factory=dict)
    lent: dict[str, Any] = field(default_factory=dict)
    graded: str | None = None
    """The exercise that a grader's box is about to check: its answer is not handed out there."""
    loans: Mapping[str, str] | None = None
    """The texts of the answers that a grader's box may hand out; None elsewhere, where all are."""

    def __getitem__(self, exercise_id: str) -> Exercise:
        for exercise in self.exercises:
            if exercise.id == exercise_id:
                return exercise
        known = ", ".join(e.id for e in self.exercises)
        raise KeyError(f"lab {self.number} has no exercise {exercise_id!r}; it has {known}")

    def recorded(self, exercise_id: str) -> list[Case]:
        """The recorded cases of one exercise."""
        return goldens.load(self.slug).get(exercise_id, [])

    def check(self, exercise_id: str, answer: Any) -> None:
        """Check an answer against the recorded cases; print what passed, or raise `CheckFailed`."""
        exercise = self[exercise_id]
        if exercise.check is None:
            raise ValueError(f"exercise {exercise_id} is read by a person; it has no check.")
        self.passed.discard(exercise_id)
        if exercise_id in self.lent and answer is self.lent[exercise_id]:
            print(
                f"Exercise {exercise_id} is borrowed: 0 points. Sections that need it go on; write your own for more."
            )
            return
        if exercise.kind == "kernel" and find_spec("triton") is None:
            print(f"Exercise {exercise_id} was not checked: Triton is not installed here (it needs Linux).")
            return
        count = run_check(exercise.check, local_student(exercise.check, answer), self.recorded(exercise_id))
        self.passed.add(exercise_id)
        self.lent.pop(exercise_id, None)
        kind = "bonus points" if exercise.bonus else "points"
        cases = f"{count} case{'s' if count > 1 else ''}"
        print(f"Exercise {exercise_id} passed: {cases}, {exercise.points} {kind}.")

    def borrow(self, exercise_id: str) -> Any:
        """The solution's answer to an exercise, for no points, so that a learner who is stuck can go on.

        Use it in the answer's cell, as in `temporal_shift = lab.borrow("4.2")`. The summary and the grade say that it
        is borrowed. Raises `Borrowed` where this copy of the lab lends no answers.
        """
        exercise = self[exercise_id]
        if exercise.check is None:
            raise ValueError(f"exercise {exercise_id} is read by a person; there is nothing to borrow.")
        if self.graded == exercise_id:
            raise Borrowed(f"the answer to exercise {exercise_id} is borrowed.")
        self.passed.discard(exercise_id)
        self.lent[exercise_id] = hand_out(self.slug, exercise_id, exercise.check.name, self.loans)
        if self.graded is None:
            print(f"Exercise {exercise_id} is borrowed: 0 points, and the story goes on.")
        return self.lent[exercise_id]

    def needs(self, *exercise_ids: str) -> None:
        """Raise one sentence if an exercise that the next section builds on is neither passed nor borrowed yet."""
        missing = [i for i in exercise_ids if i not in self.passed and i not in self.lent]
        if missing:
            names = " and ".join(f"{i} ({self[i].title})" for i in missing)
            one = len(missing) == 1
            raise WaitsFor(
                f"this section waits for {'exercise' if one else 'exercises'} {names}: solve "
                f"{'it and run its check' if one else 'them and run their checks'} first, or go on with "
                f'`{self[missing[0]].check.name} = lab.borrow("{missing[0]}")` for no points. '  # type: ignore[union-attr]
                f"Sections that do not need {'it' if one else 'them'} can be run before."
            )

    def lock(self, name: str, prediction: Mapping[str, float | None]) -> None:
        """Keep a prediction before the measurement. Locking the same values again is fine, other values are not.

        Raises `WaitsFor` where a value is still None: nobody has guessed yet.
        """
        if None in prediction.values():
            raise WaitsFor(
                "the measurement waits for your guess: write a number in place of each None, and run this cell again. "
                "Or go on with the next cell without one."
            )
        numbers = {key: plain(value) for key, value in prediction.items()}
        for key, value in numbers.items():
            if not is_number(value) or not math.isfinite(value):
                raise ValueError(f"the prediction of {name} for {key!r} is {value!r}; write a number.")
        kept = self.predictions.setdefault(name, numbers)
        if kept != numbers:
            raise Locked(f"{name} is locked as {kept}; a prediction is made once, before the measurement.")
        print(f"Locked: {name} = " + ", ".join(f"{k} {v:g}" for k, v in kept.items()))

    def summary(self) -> Summary:
        """What has passed so far, and the points."""
        rows, score, bonus = [], 0, 0
        for exercise in self.exercises:
            done = exercise.id in self.passed
            state = "passed" if done else "read by a person" if exercise.check is None else "open"
            if exercise.id in self.lent:
                state = "borrowed"
            if exercise.bonus:
                bonus += exercise.points * done
            else:
                score += exercise.points * done
            points = f"{'+' if exercise.bonus else ''}{exercise.points}"
            rows.append((exercise.id, exercise.title, points, state))
        auto = sum(e.points for e in self.exercises if e.check and not e.bonus)
        hand = sum(e.points for e in self.exercises if not e.check)
        total = f"{score} of {auto} points checked by code, {bonus} bonus points, {hand} read by a person."
        return Summary(rows, total)
