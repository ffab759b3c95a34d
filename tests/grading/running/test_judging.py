"""What comes out of a box is compared on the trusted side: within limits of time, and with no way into a page."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from efficientlab.exercises.contract import CheckFailed, Values, run_check
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.reading.submission import Submission
from efficientlab.grading.running.runner import Box
from efficientlab.grading.score import MAX_MESSAGE, SLACK, Reference, results_of

SECONDS = 5.0


@cache
def reference(number: int = 4) -> Reference:
    return Reference(find_lab(number))


@pytest.mark.parametrize("exercise_id", ["1.10", "2.10", "6.14"])
@pytest.mark.parametrize("shape", [(-1, 1, 1), (1, -1, 1), (1, 1, -1), (3, -1, 6), (-1,)])
@pytest.mark.parametrize("key", ["asked", "best", "again"])
def test_a_table_made_to_be_slow_is_refused_in_time(
    exercise_id: str, key: str, shape: tuple[int, ...]
) -> None:
    made = reference(int(exercise_id[0]))
    case = next(case for case in made.recorded[exercise_id] if key in case.expected)
    table = torch.ones(SLACK // 18 * 18, dtype=torch.uint8).reshape(shape)
    check = made.lab[exercise_id].check
    assert check is not None
    start = time.process_time()
    with pytest.raises(CheckFailed):
        run_check(check, lambda inputs: {**case.expected, key: table}, [case])
    assert time.process_time() - start < SECONDS


def box(answer: Any) -> Any:
    def student(exercise_id: str, limit: int, reach: str = "needs", looks: object = None) -> Any:
        return answer

    return SimpleNamespace(sees_all=False, can_be_shared=False, student=student, close=lambda: None)


def submission(exercise_id: str) -> Submission:
    return Submission(Path("x.ipynb"), (Cell(1, "", (exercise_id,)),))


def test_a_long_text_out_of_a_box_is_cut() -> None:
    def answer(inputs: Values) -> Values:
        return {"logits": "x" * 100_000}

    results = results_of(submission("4.1"), reference(), box(answer), [3])
    assert results[0].status == "failed"
    assert len(results[0].message) < MAX_MESSAGE + 50


def test_a_judge_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*given: object) -> None:
        while True:
            pass

    monkeypatch.setattr("efficientlab.grading.score.JUDGE_SECONDS", 0.2)
    check = reference().lab["4.1"].check
    assert check is not None
    judge = check.judge
    object.__setattr__(check, "judge", endless)
    try:
        result = results_of(submission("4.1"), reference(), box(lambda inputs: {}), [3])[0]
    finally:
        object.__setattr__(check, "judge", judge)
    assert (result.status, result.message) == (
        "failed",
        "the answer cannot be compared: TimeoutError (cell 1)",
    )


KEEPS = """
import builtins
def clip_logits(backbone, video):
    builtins.kept = getattr(builtins, "kept", []) + [f"LEAK{float(video.sum()):.6f}"]
    return torch.stack([backbone(frame) for frame in video.unbind(1)], 1).mean(1)
"""
TELLS = """
def temporal_shift(x, n_frames, fold_div=8, causal=False):
    raise ValueError(" ".join(kept))
"""


@pytest.mark.slow
def test_a_box_that_serves_all_exercises_tells_nothing_of_a_fresh_case() -> None:
    made = reference()
    cells = (Cell(1, KEEPS, ("4.1",)), Cell(2, TELLS, ("4.2",)))
    with Box(made.lab, made.prelude, Submission(Path("x.ipynb"), cells)) as opened:
        assert opened.sees_all
        results = {r.id: r for r in results_of(Submission(Path("x.ipynb"), cells), made, opened, [3])}
    assert results["4.1"].status == "passed"
    sums = [float(case.inputs["video"].sum()) for case in made.fresh_cases(made.lab["4.1"], [3])]  # type: ignore[union-attr]
    assert "LEAK" in results["4.2"].message  # of recorded cases, which the student has
    assert not [value for value in sums if f"LEAK{value:.6f}" in results["4.2"].message]
