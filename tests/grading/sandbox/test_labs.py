"""Every lab in every sandbox of this machine, as root and as an ordinary user: right is right, wrong is wrong.

By default the first exercise of each lab; EFFICIENTLAB_FULL=1 takes all: the stub, half of them, and a slip of each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from efficientlab.authoring.recording import mutant_files
from efficientlab.environment import ROOT
from efficientlab.exercises.lab import Lab
from efficientlab.exercises.labs import MODULES, find_lab
from efficientlab.grading.grader import Grader, Plan
from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.reading.submission import Submission
from efficientlab.grading.running.runner import Box
from efficientlab.grading.sandbox import open_sandbox
from efficientlab.grading.sandbox.contract import SandboxError, Setup
from efficientlab.grading.score import results_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="boxes are forked on Linux only")
SANDBOXES = ("namespaces", "landlock", "bubblewrap")
FULL = os.environ.get("EFFICIENTLAB_FULL") == "1"
ORDINARY = 4242


def statuses(grader: Grader, cells: tuple[Cell, ...], wanted: set[str]) -> dict[str, str]:
    """What a submission of these cells gets for the exercises that are `wanted`."""
    kept = [Cell(c.number, c.source, tuple(e for e in c.exercises if e in wanted)) for c in cells]
    submission = Submission(Path("x.ipynb"), tuple(kept))
    with Box(grader.lab, grader.reference.prelude, submission, grader.plan.limits, grader.sandbox) as box:
        results = results_of(submission, grader.reference, box, [11])
    return {r.id: r.status for r in results if r.id in wanted}


def check_lab(number: int, sandbox: str) -> None:
    """Grade a solution, its stub, and a slip an exercise."""
    lab = find_lab(number)
    with Grader(Plan(number, "v", 11, sandbox)) as grader:
        checked = [e for e in lab.exercises if e.check]
        wanted = checked if FULL else checked[:1]
        known = {e.id for e in wanted}
        cells = tuple(grader.reference.cells)
        right = statuses(grader, cells, known)
        assert set(right.values()) <= {"passed", "not checked"}, right
        assert "passed" in right.values()
        if FULL:
            half = {e.id for e in wanted[::2]}
            assert set(statuses(grader, cells, half).values()) <= {"passed", "not checked"}
        stub = [Cell(1, f"def {e.check.name}(*a, **k):\n    raise NotImplementedError('Exercise {e.id}')", (e.id,))
                for e in wanted if e.check]  # fmt: skip
        assert "passed" not in statuses(grader, tuple(stub), known).values()
        for exercise in wanted:
            if (files := mutant_files(lab, exercise)) and right[exercise.id] == "passed":
                wrong = (*cells, Cell(900, files[0].read_text(encoding="utf-8"), (exercise.id,)))
                assert statuses(grader, wrong, {exercise.id})[exercise.id] in ("failed", "error"), exercise.id


@pytest.fixture(scope="module", params=SANDBOXES)
def sandbox(request: pytest.FixtureRequest) -> str:
    """A sandbox in which a box starts on this machine."""
    name: str = request.param
    try:
        open_sandbox(name, Setup(min(MODULES), ())).close()
    except SandboxError as error:
        pytest.skip(str(error))
    return name


@pytest.mark.slow
@pytest.mark.parametrize("number", MODULES)
def test_a_lab_is_graded_in_each_sandbox(number: int, sandbox: str) -> None:
    check_lab(number, sandbox)


@pytest.fixture(scope="module", params=SANDBOXES[:2])
def as_an_ordinary_user(request: pytest.FixtureRequest) -> dict[str, tuple[str, str]]:
    """How grading goes for each lab, by its number, in a process that belongs to an ordinary user."""

    def become() -> None:
        os.setgroups([])
        os.setresgid(ORDINARY, ORDINARY, ORDINARY)
        os.setresuid(ORDINARY, ORDINARY, ORDINARY)

    variables = {**os.environ, "HOME": "/tmp", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    try:
        done = subprocess.run(
            [sys.executable, __file__, request.param],
            env=variables,
            preexec_fn=become,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    except PermissionError:
        pytest.skip("an ordinary user cannot run this Python")
    if done.returncode == 2 and "Permission denied" in done.stderr:  # Python's own word on the file
        pytest.skip("an ordinary user cannot read this checkout")
    assert done.returncode == 0, done.stderr
    went: dict[str, tuple[str, str]] = json.loads(done.stdout)
    return went


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("number", MODULES)
def test_a_lab_is_graded_by_an_ordinary_user(
    number: int, as_an_ordinary_user: dict[str, tuple[str, str]]
) -> None:
    how, why = as_an_ordinary_user[str(number)]
    if how == "not here":
        pytest.skip(why)
    assert how == "graded", why


@pytest.mark.slow
def test_a_lab_that_does_not_run_in_a_sandbox_is_refused_before_anybody_is_graded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from efficientlab.grading import grader as module

    def broken(lab: Lab) -> object:
        made = reference(lab)
        made.prelude = [*made.prelude, "import os\nassert os.path.exists('/root/nothing')"]
        made.cells = [Cell(1, "def clip_logits(b, v):\n    raise OSError('no temporary folder')", ("4.1",))]
        return made

    reference = module.Reference
    monkeypatch.setattr(module, "Reference", broken)
    with pytest.raises(SandboxError, match=r"the solution of 4\.1 does not run|AssertionError"):
        Grader(Plan(4, "v", 1, "namespaces"))


def main(sandbox: str) -> None:
    """Print how grading goes for each lab: as it must, not in this sandbox, or wrong, and why."""
    went: dict[int, tuple[str, str]] = {}
    for number in MODULES:
        try:
            check_lab(number, sandbox)
            went[number] = ("graded", "")
        except SandboxError as error:
            went[number] = ("wrong" if "does not run" in str(error) else "not here", str(error))
        except Exception:
            went[number] = ("wrong", traceback.format_exc())
    print(json.dumps(went))


if __name__ == "__main__":
    main(sys.argv[1])
