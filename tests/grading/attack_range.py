"""A range to shoot at: a sandbox with secrets, listeners and bystanders around it, and what an attack did to them.

An attack is a file of `tests/grading/attacks`: the cell that a cheating student hands in for exercise 4.1, with a
wrong answer. It raises an error whose text holds LEAK where it reaches what it must not.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import numpy

from efficientlab.environment import ROOT
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.reading.submission import Submission
from efficientlab.grading.record import ExerciseResult
from efficientlab.grading.running.runner import Box
from efficientlab.grading.sandbox import open_sandbox
from efficientlab.grading.sandbox.contract import Setup
from efficientlab.grading.sandbox.limits import Limits
from efficientlab.grading.score import Reference, results_of

ATTACKS = sorted((Path(__file__).parent / "attacks").glob("*.py"))
IMPATIENT = Limits(
    case=1.5, exercise=2.0, submission=5.0, memory=500_000_000, scratch=32_000_000, processes=32
)
PATIENT = Limits(memory=IMPATIENT.memory, scratch=IMPATIENT.scratch, processes=IMPATIENT.processes)
SECRET = "SECRET_TOKEN"
SEED = 31


@dataclass(frozen=True)
class Outcome:
    """What an attack achieved: each of these must be empty or zero."""

    earned: int
    leaked: str
    harmed: str
    left: str
    faults: tuple[str, ...]

    @property
    def defeated(self) -> bool:
        return not any(asdict(self).values())


class Range:
    """One sandbox, opened once; every attack is followed by an honest submission."""

    def __init__(self, sandbox: str) -> None:
        self.lab = find_lab(4)
        self.reference = Reference(self.lab)
        os.environ[SECRET] = "LEAK of the environment"
        self.folder = Path(tempfile.mkdtemp(prefix="efficientlab-range-"))
        self.folder.chmod(0o777)  # what keeps an attack out is the sandbox, not the file's mode
        self.scratch = self.folder / "scratch"  # of this range alone: other graders may be at work here
        self.scratch.mkdir()
        self.scratch.chmod(0o777)
        self.temporary = os.environ.get("TMPDIR")
        os.environ["TMPDIR"], tempfile.tempdir = str(self.scratch), None
        self.canary = self.folder / "SECRET.ipynb"
        self.canary.write_text("LEAK of a file")
        self.canary.chmod(0o666)
        self.tcp = socket.create_server(("127.0.0.1", 0))
        port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", port))
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind(f"\0efficientlab-attack-{port}")
        self.abstract.listen()
        self.known = Cell(1, f"CANARY = {str(self.canary)!r}\nPORT = {port}")
        setup = Setup(4, tuple(self.reference.prelude), self.reference.imports, IMPATIENT)
        self.sandbox = open_sandbox(sandbox, setup)
        honest = {e: cell for cell in self.reference.cells for e in cell.exercises}
        self.honest = Submission(Path("honest.ipynb"), (honest["4.1"], honest["4.7"]))
        self.before = self._bystanders()

    def __enter__(self) -> Range:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.sandbox.close()
        for listener in (self.tcp, self.udp, self.abstract):
            listener.close()
        os.environ.pop("TMPDIR")
        if self.temporary is not None:
            os.environ["TMPDIR"] = self.temporary
        tempfile.tempdir = None
        shutil.rmtree(self.folder, ignore_errors=True)
        os.environ.pop(SECRET, None)

    def shoot(self, attack: Path) -> Outcome:
        """Grade one attack, then an honest submission, and compare the world with what it was."""
        source = attack.read_text(encoding="utf-8")
        submission = Submission(attack, (self.known, Cell(2, source, ("4.1",))))
        results = self._grade(submission, IMPATIENT)
        left = self._left()
        honest = self._grade(self.honest, PATIENT)
        wrong = [f"{r.id}: {r.message}" for r in honest if r.status not in ("passed", "missing", "by hand")]
        text = json.dumps([asdict(result) for result in [*results, *honest]])
        return Outcome(
            earned=sum(result.earned or 0 for result in results),
            leaked=text[max(0, text.find("LEAK") - 300) :][:600] if "LEAK" in text else self._heard(),
            harmed="; ".join(wrong) or self._harm(),
            left=left,
            faults=tuple(note for r in [*results, *honest] if r.status == "not checked" for note in r.notes),
        )

    def _grade(self, submission: Submission, limits: Limits) -> Sequence[ExerciseResult]:
        with Box(self.lab, self.reference.prelude, submission, limits, self.sandbox) as box:
            return results_of(submission, self.reference, box, [SEED])

    def _heard(self) -> str:
        ready, _, _ = select.select([self.tcp, self.udp, self.abstract], [], [], 0)
        return f"somebody spoke to {ready}" if ready else ""

    def _harm(self) -> str:
        if not self.canary.exists() or self.canary.read_text() != "LEAK of a file":
            return "the canary was touched"
        known = {self.canary, self.scratch}
        return "" if set(self.folder.iterdir()) == known else f"new files in {self.folder}"

    def _bystanders(self) -> set[str]:
        names = set()
        python = [Path(numpy.__file__).parent.parent, Path(os.__file__).parent, ROOT, ROOT / "efficientlab"]
        for folder in ("/dev/shm", "/dev/mqueue", "/tmp", "/var/tmp", self.scratch, *python):
            if Path(folder).is_dir():
                names.update(map(str, Path(folder).iterdir()))
        return names

    def _left(self) -> str:
        """Processes and files of the box that outlived it."""
        server = getattr(self.sandbox, "_server", None)
        if server is not None:
            children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
            if children:
                return f"processes {children}"
        mine = (
            "flood",
            "efficientlab_attack",
            "poison",
            "sitecustomize",
            "usercustomize",
        )
        new = self._bystanders() - self.before
        new = {n for n in new if Path(n).name.startswith(mine) or Path(n).parent == self.scratch}
        return f"files {sorted(new)}" if new else ""
