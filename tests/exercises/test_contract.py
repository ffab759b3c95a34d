"""The contract of a check: what it says about an answer, and what a notebook shows of it."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from efficientlab.exercises import goldens
from efficientlab.exercises.contract import (
    Case,
    Check,
    CheckFailed,
    Exercise,
    NotWritten,
    Values,
    close,
    describe,
    run_check,
    values_judge,
)
from efficientlab.exercises.guarded import Guarded, run_kernel
from efficientlab.exercises.lab import Lab, Locked, WaitsFor
from efficientlab.exercises.profile import choose_profile
from efficientlab.exercises.student import local_student

SLIP = "these are negative: the sign is lost"


def drive(double: object, case: Values) -> Values:
    x = case["x"]
    assert isinstance(x, Tensor)
    assert callable(double)
    before = x.clone()
    return {"y": double(x), "changed": not torch.equal(before, x)}


CHECK = Check(
    name="double",
    drive=drive,
    inputs=lambda seed: [{"x": torch.arange(seed, seed + 6.0).view(2, 3)}],
    judge=values_judge({"y": "the doubled tensor", "changed": "x itself was changed"}),
)


def cases(seed: int = 1) -> list[Case]:
    inputs = CHECK.inputs(seed)
    return [Case(i, drive(lambda x: 2 * x, i), {SLIP: drive(lambda x: -2 * x, i)}) for i in inputs]


def message(answer: object, **options: list[Case]) -> str:
    with pytest.raises(CheckFailed) as failed:
        run_check(CHECK, local_student(CHECK, answer), cases(), **options)
    return str(failed.value)


def test_a_right_answer_passes_and_is_counted() -> None:
    assert run_check(CHECK, local_student(CHECK, lambda x: x + x), cases()) == 1


def test_a_wrong_value_is_placed() -> None:
    def almost(x: Tensor) -> Tensor:
        y = 2 * x
        y[1, 2] = 0
        return y

    assert message(almost).startswith(
        "the doubled tensor is wrong in 17 % of its entries. The first is at index [1, 2]"
    )
    assert "got 0, expected 12" in message(almost)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda x: (2 * x).T, "has shape (3, 2); expected (2, 3)"),
        (lambda x: (2 * x).double(), "has dtype torch.float64; expected torch.float32"),
        (lambda x: None, "is None, where a tensor belongs"),
        (lambda x: x.mul_(2), "x itself was changed."),
        (lambda x: -2 * x, f"{SLIP}."),
        (lambda x: 2 * x * float("nan"), "got nan"),
    ],
)
def test_each_fault_has_its_sentence(answer: object, sentence: str) -> None:
    assert sentence in message(answer)


def test_the_slip_is_named_first_and_the_place_after_it() -> None:
    first, second = message(lambda x: -2 * x).splitlines()[:2]
    assert first == f"{SLIP}."
    assert second.startswith("the doubled tensor is wrong")


def test_a_hidden_failure_is_named_from_the_recorded_cases() -> None:
    hidden = [Case(i, drive(lambda x: 2 * x, i), {}) for i in CHECK.inputs(5)]
    with pytest.raises(CheckFailed, match="the sign is lost"):
        run_check(CHECK, local_student(CHECK, lambda x: -2 * x), hidden, diagnose=cases())


def test_an_exception_shows_the_students_own_line() -> None:
    def crash(x: Tensor) -> Tensor:
        return x.view(7)

    text = message(crash)
    assert text.startswith("`double` raised RuntimeError")
    assert "return x.view(7)" in text
    assert "local_student" not in text


def test_of_an_exception_of_many_lines_the_first_three_are_shown() -> None:
    def crash(x: Tensor) -> Tensor:
        raise RuntimeError("\n".join(f"said {n}" for n in range(20)))

    assert message(crash).startswith("`double` raised RuntimeError: said 0\nsaid 1\nsaid 2\n…\n")
    assert "said 3" not in message(crash)


def test_a_stub_is_not_written_rather_than_wrong() -> None:
    def stub(x: Tensor) -> Tensor:
        raise NotImplementedError("Exercise 9.1: write double, then run this cell and its check.")

    with pytest.raises(NotWritten, match=r"Exercise 9\.1"):
        run_check(CHECK, local_student(CHECK, stub), cases())


def test_each_case_gets_its_own_copy_with_its_strides() -> None:
    x = torch.randn(4, 3).T
    seen = []

    def keep(y: Tensor) -> Tensor:
        seen.append(y)
        return y.mul_(0)

    local_student(CHECK, keep)({"x": x})
    assert seen[0].stride() == x.stride()
    assert x.abs().sum() > 0


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (1, 1.0, True),
        (math.nan, math.nan, True),
        (True, 1, False),
        ("a", "a", True),
        (torch.ones(2), torch.ones(2, 1), False),
        (torch.tensor([math.nan]), torch.tensor([math.nan]), True),
        (1.0, [1.0], False),
        (1.0, torch.ones(()), False),
        (torch.tensor([1.0, 0.0]), torch.tensor([1.0, 5e-5]), True),  # rounding, where large terms cancel
        (torch.tensor([1e-3, 0.0]), torch.tensor([1e-3, 5e-5]), False),  # the same is much in a small output
        (torch.tensor([1e6, 1.0]), torch.tensor([1e6, 2.0]), True),
        (1.1e-3, 1.1e-3 + 1e-6, False),
        (0.0, 1e-9, True),
        (torch.tensor([math.inf]), torch.tensor([math.inf]), True),
        (torch.tensor([math.inf]), torch.tensor([1.0]), False),
    ],
)
def test_close(a: object, b: object, same: bool) -> None:
    assert close(a, b) is same  # type: ignore[arg-type]


def test_recorded_cases_survive_the_file(tmp_path: Path) -> None:
    inputs: Values = {
        "t": torch.randn(3, 2).T,
        "x": torch.randn(2, 3),
        "n": 3,
        "rate": 0.5,
        "on": True,
        "word": "a/b",
    }
    case = Case(
        inputs,
        {"y": torch.zeros(0, 2), "z": math.nan},
        {SLIP: {"y": torch.ones(1)}, "raises": "ValueError: no"},
    )
    goldens.save("lab9_test", {"9.1": [case, case], "9.10": [case]}, tmp_path)
    loaded = goldens.load("lab9_test", tmp_path)
    assert list(loaded) == ["9.1", "9.10"]
    assert len(loaded["9.1"]) == 2
    for key, value in inputs.items():
        assert close(loaded["9.10"][0].inputs[key], value, 0, 0)
    assert loaded["9.1"][0].inputs["t"].stride() == (1, 2)  # type: ignore[union-attr]
    assert loaded["9.1"][1].expected["y"].shape == (0, 2)  # type: ignore[union-attr]
    assert loaded["9.1"][0].slips["raises"] == "ValueError: no"


def test_missing_goldens_name_the_file_and_the_command(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"lab9_test\.safetensors is missing; make it with: efficientlab build"
    ):
        goldens.load("lab9_test", tmp_path)


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    exercises = (
        Exercise("9.1", "Double", "build", 60, 5, 1, CHECK),
        Exercise("9.2", "Why?", "investigate", 40, 5, 1),
        Exercise("9.3", "Faster", "kernel", 10, 5, 3, CHECK),
    )
    monkeypatch.setattr(goldens, "load", lambda slug: {"9.1": cases(), "9.3": cases()})
    return Lab(9, "lab9_test", "Test", exercises)


def test_a_section_waits_until_its_exercise_passes(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WaitsFor, match=r"waits for exercise 9\.1 \(Double\)"):
        lab.needs("9.1")
    lab.check("9.1", lambda x: 2 * x)
    lab.needs("9.1")
    assert capsys.readouterr().out == "Exercise 9.1 passed: 1 case, 60 points.\n"


def test_a_later_failure_takes_the_points_back(lab: Lab) -> None:
    lab.check("9.1", lambda x: 2 * x)
    with pytest.raises(CheckFailed):
        lab.check("9.1", lambda x: 3 * x)
    with pytest.raises(WaitsFor):
        lab.needs("9.1")


def test_the_summary_counts_points_bonus_and_hand_graded_parts(lab: Lab) -> None:
    lab.check("9.3", lambda x: 2 * x)
    summary = lab.summary()
    assert summary.total == "0 of 60 points checked by code, 10 bonus points, 40 read by a person."
    assert "open" in repr(summary)
    assert "<table>" in summary._repr_html_()


def test_without_triton_a_kernel_is_said_to_need_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton.runtime.interpreter")  # whole, before a part of it is hidden
    monkeypatch.setitem(sys.modules, "triton.runtime.interpreter", None)
    target = Guarded(torch.zeros(2), guard=1)
    with pytest.raises(ModuleNotFoundError, match="needs Linux"):
        run_kernel(object(), (1,), (target,), target, 1, "y")


def test_a_prediction_is_made_once(lab: Lab) -> None:
    lab.lock("latency", {"a": 1.0})
    lab.lock("latency", {"a": 1.0})
    with pytest.raises(Locked, match="made once"):
        lab.lock("latency", {"a": 2.0})
    with pytest.raises(ValueError, match="write a number"):
        lab.lock("other", {"a": "much"})  # type: ignore[dict-item]
    with pytest.raises(WaitsFor, match="waits for your guess"):
        lab.lock("nothing", {"a": 1.0, "b": None})
    assert "nothing" not in lab.predictions


def test_a_case_is_described_by_what_a_student_knows_of() -> None:
    case = {
        "x": torch.zeros(2, 3),
        "stride": 2,
        "state.weight": torch.zeros(1),
        "upstream": torch.zeros(2, 3),
    }
    assert describe(case) == "x of shape (2, 3) float32, stride = 2"


def test_an_unknown_exercise_names_the_known_ones(lab: Lab) -> None:
    with pytest.raises(KeyError, match=r"it has 9\.1, 9\.2, 9\.3"):
        lab.check("9.7", None)
    with pytest.raises(ValueError, match="read by a person"):
        lab.check("9.2", None)


def test_the_profile_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    profiles = {"ci": {"epochs": 1}, "colab": {"epochs": 9}}
    monkeypatch.setenv("EFFICIENTLAB_PROFILE", "colab")
    assert choose_profile(profiles).epochs == 9
    monkeypatch.setenv("EFFICIENTLAB_PROFILE", "cluster")
    with pytest.raises(ValueError, match="'cluster'; this lab has ci, colab"):
        choose_profile(profiles)
    monkeypatch.delenv("EFFICIENTLAB_PROFILE")
    assert choose_profile(profiles).name == ("colab" if torch.cuda.is_available() else "ci")
