"""The walls one by one: choice of a sandbox, limits, control groups, command lines, channels, and whose fault it is."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from efficientlab.environment import ROOT
from efficientlab.exercises.contract import AnswerError
from efficientlab.exercises.labs import find_lab
from efficientlab.grading.reading.cell import Cell
from efficientlab.grading.reading.submission import Submission
from efficientlab.grading.running.runner import Box
from efficientlab.grading.sandbox import open_sandbox, wait_until_ready
from efficientlab.grading.sandbox.cgroups import make_group
from efficientlab.grading.sandbox.channel import PipeChannel, SocketChannel
from efficientlab.grading.sandbox.contract import Sandbox, SandboxError, Setup
from efficientlab.grading.sandbox.limits import Limits
from efficientlab.grading.sandbox.memory import descendants, private_bytes
from efficientlab.grading.sandbox.processes import Bubblewrap, Container
from efficientlab.grading.score import Reference, results_of

linux = pytest.mark.skipif(sys.platform != "linux", reason="boxes are forked on Linux only")
LAB = find_lab(4)
LIMITS = Limits(case=10.0, exercise=15.0, submission=40.0, memory=600_000_000, processes=32)


@cache
def reference() -> Reference:
    return Reference(LAB)


def setup(limits: Limits = LIMITS) -> Setup:
    return Setup(4, tuple(reference().prelude), reference().imports, limits)


def submission(*cells: tuple[str, str]) -> Submission:
    return Submission(Path("x.ipynb"), tuple(Cell(n, source, (e,)) for n, (e, source) in enumerate(cells, 1)))


def solution(exercise: str) -> str:
    return next(cell.source for cell in reference().cells if exercise in cell.exercises)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    try:
        opened = open_sandbox("namespaces", setup())
    except SandboxError as error:
        pytest.skip(str(error))
    yield opened
    opened.close()


# whose fault


@linux
@pytest.mark.slow
@pytest.mark.parametrize("limits", [LIMITS, Limits(case=1.0, exercise=2.0, submission=5.0)])
def test_every_end_of_a_box_has_its_status_and_costs_one_exercise(
    sandbox: Sandbox, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    if limits is LIMITS:
        cells = [
            ("4.1", "def clip_logits(backbone, video):\n    import os\n    os._exit(0)"),
            ("4.7", solution("4.7")),
        ]
        expected = {"4.1": "crash", "4.7": "passed"}
    else:
        cells = [
            ("4.1", "def clip_logits(backbone, video):\n    while True: pass"),
            ("4.7", "stream_logits = 3"),
        ]
        expected = {"4.1": "timeout", "4.7": "error"}
    asked: list[str] = []
    call = Box._call
    monkeypatch.setattr(
        Box, "_call", lambda box, exercise, *rest: asked.append(exercise) or call(box, exercise, *rest)
    )
    handed_in = submission(*cells)
    with Box(LAB, reference().prelude, handed_in, limits, sandbox) as box:
        results = {r.id: r for r in results_of(handed_in, reference(), box, [5])}
    assert {e: results[e].status for e in expected} == expected
    assert results["4.2"].status == "missing" and results["4.9"].status == "by hand"
    assert results["4.1"].earned == 0
    # beside the box that all share: one that had to be stopped is run once, one that crashed once more
    assert asked.count("4.1") == (3 if expected["4.1"] == "crash" else 2)


@linux
def test_a_right_answer_whose_process_died_once_passes(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: list[str] = []
    call = Box._call

    def dying(box: Box, exercise: str, *rest: Any) -> object:
        if exercise not in died:
            died.append(exercise)
            raise EOFError
        return call(box, exercise, *rest)

    monkeypatch.setattr(Box, "_call", dying)
    handed_in = submission(("4.1", solution("4.1")))
    with Box(LAB, reference().prelude, handed_in, LIMITS, sandbox) as box:
        result = results_of(handed_in, reference(), box, [5])[0]
    assert (result.status, died) == ("passed", ["4.1"])


@linux
def test_what_one_exercise_does_to_torch_never_reaches_the_next(sandbox: Sandbox) -> None:
    vandal = "import torch\ntorch.set_default_dtype(torch.float64)\ntorch.Tensor.mean = torch.cumsum = None\n"
    handed_in = submission(
        ("4.1", vandal + "def clip_logits(b, v):\n    return torch.zeros(1)"), ("4.7", solution("4.7"))
    )
    with Box(LAB, reference().prelude, handed_in, LIMITS, sandbox) as box:
        results = {r.id: r.status for r in results_of(handed_in, reference(), box, [5])}
    assert results["4.7"] == "passed"


KEEPS = """
import builtins
def clip_logits(backbone, video):
    builtins.kept = getattr(builtins, "kept", []) + [f"KEPT{float(video.sum()):.6f}"]
    return torch.stack([backbone(frame) for frame in video.unbind(1)], 1).mean(1)
"""
TELLS = "def temporal_shift(x, n_frames, fold_div=8, causal=False):\n    raise ValueError(' '.join(kept))"


@linux
@pytest.mark.parametrize(("shift", "status", "boxes"), [(None, "passed", 1), (TELLS, "error", 2)])
def test_one_box_for_all_that_is_right_of_which_nothing_is_shown(
    sandbox: Sandbox, shift: str | None, status: str, boxes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[None] = []
    fork = type(sandbox).open
    monkeypatch.setattr(type(sandbox), "open", lambda self: opened.append(None) or fork(self))
    handed_in = submission(("4.1", KEEPS), ("4.2", shift or solution("4.2")))
    with Box(LAB, reference().prelude, handed_in, LIMITS, sandbox) as box:
        results = {r.id: r for r in results_of(handed_in, reference(), box, [5])}
    assert results["4.1"].status == "passed"
    assert results["4.2"].status == status
    assert "KEPT" not in results["4.2"].message
    assert len(opened) == boxes


@linux
@pytest.mark.slow
def test_what_is_slow_in_the_box_for_all_has_its_time_in_its_own(sandbox: Sandbox) -> None:
    slow = (
        "import time\nWAITS = [2.5]\ndef step_cost(*a, **k):\n    time.sleep(WAITS.pop() if WAITS else 0)\n"
    )
    slow += "    return right(*a, **k)\n"
    slow += solution("4.8").replace("def step_cost", "def right")
    handed_in = submission(("4.1", solution("4.1")), ("4.8", slow))
    with Box(LAB, reference().prelude, handed_in, Limits(), sandbox) as box:
        results = {r.id: r for r in results_of(handed_in, reference(), box, [5])}
    assert (results["4.1"].status, results["4.8"].status) == ("passed", "passed")


@linux
def test_a_time_for_all_exercises_together(sandbox: Sandbox) -> None:
    slow = "import time\ndef {name}(a, b):\n    time.sleep(60)"
    handed_in = submission(
        ("4.1", slow.format(name="clip_logits")), ("4.7", slow.format(name="stream_logits"))
    )
    limits = Limits(case=0.8, exercise=0.8, submission=0.4)
    with Box(LAB, reference().prelude, handed_in, limits, sandbox) as box:
        results = {r.id: r for r in results_of(handed_in, reference(), box, [5])}
    assert results["4.1"].status == results["4.7"].status == "timeout"
    assert "whole submission" in results["4.7"].message


@linux
def test_a_box_that_cannot_start_is_the_graders_fault_and_not_the_students() -> None:
    class Broken:
        name, guarantee, fresh_per_exercise = "broken", "", True

        def open(self) -> object:
            raise SandboxError("out of process ids")

        def close(self) -> None: ...

    handed_in = submission(("4.1", solution("4.1")))
    with Box(LAB, reference().prelude, handed_in, LIMITS, Broken()) as box:
        result = results_of(handed_in, reference(), box, [5])[0]
    assert (result.status, result.earned, result.notes) == ("not checked", None, ("out of process ids",))


@pytest.mark.slow
@linux
def test_a_killed_fork_server_is_started_again(sandbox: Sandbox) -> None:
    server = sandbox._server  # type: ignore[attr-defined]
    server.kill()
    server.wait()
    channel, _ = wait_until_ready(sandbox)
    channel.close()
    assert sandbox._server is not server  # type: ignore[attr-defined]


@linux
def test_a_fresh_case_that_fails_shows_none_of_its_values(sandbox: Sandbox) -> None:
    seen = [case.inputs["video"].shape for case in reference().recorded["4.1"]]
    assert seen
    source = (
        "from efficientlab.exercises.lab4 import lab\nKNOWN = [c.inputs['video'] for c in lab.recorded('4.1')]\n"
        "def clip_logits(backbone, video):\n    import torch\n"
        "    y = torch.stack([backbone(f) for f in video.unbind(1)], 1).mean(1)\n"
        "    known = any(k.shape == video.shape and torch.equal(k, video) for k in KNOWN)\n"
        "    return y if known else y + 1234"
    )
    handed_in = submission(("4.1", source))
    with Box(LAB, reference().prelude, handed_in, LIMITS, sandbox) as box:
        result = results_of(handed_in, reference(), box, [5])[0]
    assert result.earned == 0 and result.cases == len(reference().recorded["4.1"])
    assert "fresh" in result.message and not any(
        word in result.message for word in ("1234", "got", "expected")
    )


@pytest.mark.slow
@linux
@pytest.mark.parametrize(
    "raised",
    ["NotImplementedError('Exercise 4.1')", "type('Borrowed', (Exception,), {})()", "ValueError('4.1')"],
)
def test_what_an_answer_raises_on_a_fresh_case_says_nothing_of_it(sandbox: Sandbox, raised: str) -> None:
    source = (
        "from efficientlab.exercises.lab4 import lab\nKNOWN = [c.inputs['video'] for c in lab.recorded('4.1')]\n"
        "def clip_logits(backbone, video):\n    import torch\n"
        "    if not any(k.shape == video.shape and torch.equal(k, video) for k in KNOWN):\n"
        f"        raise {raised}\n"
        "    return torch.stack([backbone(f) for f in video.unbind(1)], 1).mean(1)"
    )
    handed_in = submission(("4.1", source))
    with Box(LAB, reference().prelude, handed_in, LIMITS, sandbox) as box:
        result = results_of(handed_in, reference(), box, [5])[0]
    assert result.status in ("failed", "error") and "not fresh ones of the same kind" in result.message


@linux
def test_a_text_of_an_answer_moves_no_terminal_and_turns_no_line(sandbox: Sandbox) -> None:
    source = "def clip_logits(backbone, video):\n    raise RuntimeError('\\x1b[2J \\x9b \\x00 \\u202e\\nné \\u200d')"
    handed_in = submission(("4.1", source))
    with Box(LAB, reference().prelude, handed_in, LIMITS, sandbox) as box:
        message = results_of(handed_in, reference(), box, [5])[0].message
    assert "RuntimeError: \ufffd[2J \ufffd \ufffd \nné \u200d" in message


@linux
def test_an_answer_that_breaks_its_judge_on_a_fresh_case_says_nothing_of_it(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = LAB["4.1"].check
    assert check is not None
    seen = len(reference().recorded["4.1"])
    judged = 0

    def judge(*values: Any) -> None:
        nonlocal judged
        judged += 1
        if judged > seen:
            raise IndexError("4.1")

    handed_in = submission(("4.1", solution("4.1")))
    with Box(LAB, reference().prelude, handed_in, LIMITS, sandbox) as box, monkeypatch.context() as patch:
        reference().fresh_cases(LAB["4.1"], [5])
        patch.setitem(vars(check), "judge", judge)
        result = results_of(handed_in, reference(), box, [5])[0]
    assert result.status == "failed" and result.notes == ("IndexError: 4.1",)
    assert "not fresh ones of the same kind" in result.message and "IndexError" not in result.message


@pytest.mark.slow
@linux
@pytest.mark.parametrize("name", ["namespaces", "landlock", "bubblewrap"])
def test_sleepers_of_one_box_leave_room_for_threads_in_another(name: str) -> None:
    sleepers = (
        "import os, time\ndef clip_logits(b, v):\n    for _ in range(200):\n        try:\n"
        "            if os.fork() == 0:\n                time.sleep(20); os._exit(0)\n"
        "        except OSError:\n            break\n    time.sleep(20)"
    )
    threads = (
        "from concurrent.futures import ThreadPoolExecutor\ndef clip_logits(backbone, video):\n    import torch\n"
        "    with ThreadPoolExecutor(4) as pool:\n        y = list(pool.map(backbone, video.unbind(1)))\n"
        "    return torch.stack(y, 1).mean(1)"
    )
    try:
        evil, honest = (open_sandbox(name, setup()) for _ in range(2))
    except SandboxError as error:
        pytest.skip(str(error))
    one, other = submission(("4.1", sleepers)), submission(("4.1", threads))
    alone = sum(1 for _ in descendants(os.getpid()))
    try:
        with Box(LAB, reference().prelude, one, replace(LIMITS, case=4.0), evil) as first:
            case = reference().recorded["4.1"][0].inputs

            def sleep() -> None:
                with contextlib.suppress(AnswerError):
                    first.student("4.1")(case)

            busy = threading.Thread(target=sleep)
            busy.start()  # where nothing else limits them, the watch has ended the box by then
            while (
                busy.is_alive() and sum(1 for _ in descendants(os.getpid())) < alone + LIMITS.processes // 2
            ):
                time.sleep(0.02)
            with Box(LAB, reference().prelude, other, LIMITS, honest) as second:
                result = results_of(other, reference(), second, [5])[0]
            first.close()
            busy.join()
        assert result.status == "passed", result.message
    finally:
        evil.close()
        honest.close()


# what boxes see and hold


@linux
def test_solutions_and_lent_answers_are_hidden_wherever_python_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from efficientlab.grading.sandbox import view

    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    checkout = tmp_path / "src" / "app"
    lent = [base / "efficientlab" / "exercises" / "lent" for base in (packages, checkout)]
    beside = [checkout / name for name in (".git", "solutions", "tests")]
    for folder in (*lent, *beside, checkout / "data", checkout / ".venv" / "lib"):
        folder.mkdir(parents=True)
    (checkout / "pyproject.toml").touch()
    monkeypatch.setattr(view, "ROOT", checkout)
    monkeypatch.setattr(view, "_OURS", (checkout / "efficientlab", checkout / "data"))
    monkeypatch.setattr(view.sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(view.sys, "exec_prefix", str(checkout / ".venv"))
    for kept in (view.readable, view.hidden):
        monkeypatch.setattr(view, kept.__name__, kept.__wrapped__)
    assert tmp_path in view.readable()
    assert {path for path in view.hidden() if tmp_path in path.parents} == {*lent, *beside}
    whole, listed = view.taken_apart([tmp_path])
    assert {checkout / "efficientlab" / "exercises", checkout, packages, tmp_path} <= set(listed)
    assert {checkout / "data", checkout / ".venv"} <= set(whole) and not {*lent, *beside} & {*whole, *listed}


@linux
def test_what_a_watch_cannot_look_into_is_full_and_stays_as_it_is(tmp_path: Path) -> None:
    from efficientlab.grading.sandbox.scratch import FULL, held_bytes

    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(bytes(1 << 20))
    assert 1 << 20 <= held_bytes(tmp_path, os.getpid()) < 2 << 20
    here = os.open(tmp_path / "a", os.O_RDONLY)
    for _ in range(30):  # no call takes a path of 4,096 bytes
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    assert held_bytes(tmp_path, os.getpid()) == FULL
    subprocess.run(["rm", "-rf", tmp_path / "a"], check=True)
    if os.geteuid() == 0:
        pytest.skip("root looks into every folder")
    (tmp_path / "closed").mkdir(0o000)
    assert held_bytes(tmp_path, os.getpid()) == FULL
    assert (tmp_path / "closed").stat().st_mode & 0o777 == 0


# what boxes share


@linux
@pytest.mark.slow
def test_larger_pages_hold_what_the_smaller_ones_held() -> None:
    from efficientlab.grading.sandbox import pages

    held = torch.arange(4_000_000)
    texts = [str(i) for i in range(100_000)]
    assert pages.enlarge() >= 0  # none where the kernel is older
    assert torch.equal(held, torch.arange(4_000_000))
    assert texts == [str(i) for i in range(100_000)]


# the choice


def test_an_unknown_sandbox_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="there are auto, namespaces"):
        open_sandbox("jail", setup())


def test_where_nothing_works_nothing_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    from efficientlab.grading import sandbox as module

    def refuse(setup: Setup, image: str | None) -> Sandbox:
        raise SandboxError("denied")

    for name in ("namespaces", "bubblewrap", "landlock"):
        monkeypatch.setitem(module._MAKERS, name, refuse)
    with pytest.raises(SandboxError, match=r"nothing was graded.*landlock: denied"):
        open_sandbox("auto", setup())


@pytest.mark.slow
@linux
@pytest.mark.parametrize("name", ["landlock", "bubblewrap"])
def test_the_other_sandboxes_give_the_same_points(name: str) -> None:
    handed_in = submission(
        ("4.1", solution("4.1")), ("4.7", "def stream_logits(net, video):\n    return video")
    )
    try:
        opened = open_sandbox(name, setup())
    except SandboxError as error:
        pytest.skip(str(error))
    try:
        with Box(LAB, reference().prelude, handed_in, LIMITS, opened) as box:
            results = {r.id: r.status for r in results_of(handed_in, reference(), box, [5])}
    finally:
        opened.close()
    assert (results["4.1"], results["4.7"]) == ("passed", "failed")


@pytest.mark.slow
def test_a_students_own_machine_needs_no_linux() -> None:
    code = (
        "import sys\nfor name in ('libc', 'forked', 'server', 'cgroups', 'seccomp'):\n"
        "    sys.modules['efficientlab.grading.sandbox.' + name] = None\n"
        "sys.modules['resource'] = None\nimport efficientlab.grading.check, efficientlab.grading.engines.local"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


# control groups


@pytest.fixture
def cgroups(tmp_path: Path) -> Path:
    """A folder tree that looks like version 2, delegated."""
    (tmp_path / "me").mkdir()
    return tmp_path


@linux
def test_version_2_groups_get_both_limits(cgroups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Path.mkdir

    def mkdir(self: Path, *arguments: object, **options: object) -> None:
        made(self, *arguments, **options)  # type: ignore[arg-type]
        if self.name.startswith("efficientlab-"):
            for file in ("memory.max", "pids.max", "cgroup.procs"):
                (self / file).touch()

    monkeypatch.setattr(Path, "mkdir", mkdir)
    own = cgroups / "self"
    own.write_text("0::/me\n")
    (cgroups / "me" / "cgroup.subtree_control").touch()
    group = make_group(LIMITS, cgroups, own)
    assert group is not None
    group.add(123)
    (folder,) = group.folders
    assert (folder / "memory.max").read_text() == str(LIMITS.memory + LIMITS.scratch)
    assert (folder / "pids.max").read_text() == str(LIMITS.processes)
    assert (folder / "cgroup.procs").read_text() == "123"
    assert (cgroups / "me" / "cgroup.subtree_control").read_text() == "+memory +pids"


@linux
@pytest.mark.parametrize("lines", ["0::/me\n", "4:memory:/me\n8:pids:/me\n", "1:cpu:/\n", ""])
def test_where_no_group_is_ours_there_is_none(cgroups: Path, lines: str) -> None:
    own = cgroups / "self"
    own.write_text(lines)
    assert make_group(LIMITS, cgroups, own) is None
    assert make_group(LIMITS, cgroups, cgroups / "missing") is None


# command lines


def test_a_container_gets_every_wall() -> None:
    command = Container(setup(), "docker", "course:2026").start().command
    line = " ".join(command)
    for part in (
        *(
            "docker run --rm --interactive",
            "--network none",
            "--read-only",
            "--cap-drop ALL",
            "--user 65534:65534",
        ),
        *(
            "--security-opt no-new-privileges",
            "--memory 600000000",
            "--memory-swap 600000000",
            "--pids-limit 32",
        ),
        "course:2026 python -m efficientlab.grading.running.box",
    ):
        assert part in line
    assert "--volume" not in line and "-v " not in line and "--privileged" not in line


@pytest.mark.slow
@linux
@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_container_is_spoken_to_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    log = tmp_path / "log"
    stub = tmp_path / engine
    stub.write_text(
        f'#!/bin/sh\necho "$@" >> {log}\n'
        f'[ "$1" = run ] && PYTHONPATH={os.pathsep.join(sys.path)} exec {sys.executable} '
        "-m efficientlab.grading.running.box\n"
    )
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    opened = open_sandbox(engine, setup(), image="course:2026")
    handed_in = submission(("4.1", solution("4.1")))
    with Box(LAB, reference().prelude, handed_in, LIMITS, opened) as box:
        assert results_of(handed_in, reference(), box, [5])[0].status == "passed"
    calls = log.read_text().splitlines()
    runs = [call.split("--name ")[1].split()[0] for call in calls if call.startswith("run")]
    assert len(runs) == 2  # the trial, and the submission
    assert [f"rm --force {name}" for name in runs] == [call for call in calls if call.startswith("rm")]


def test_a_container_without_an_image_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "podman").write_text("#!/bin/sh\n")
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="needs an image"):
        open_sandbox("podman", setup())
    with pytest.raises(SandboxError, match="docker is not installed"):
        open_sandbox("docker", setup(), "course")


@linux
def test_bubblewrap_binds_only_what_python_needs() -> None:
    command = Bubblewrap(setup()).start().command
    bound = [command[i + 1] for i, word in enumerate(command) if word in ("--ro-bind", "--bind")]
    assert "--bind" not in command and "--clearenv" in command
    assert ("--unshare-all" in command) != (os.geteuid() == 0)  # root makes no user namespace
    assert not any(
        path.endswith(("solutions", "tests", "home")) or path in ("/", "/etc", "/root") for path in bound
    )


# channels


def child(code: str) -> PipeChannel:
    command = [sys.executable, "-c", f"import sys, time, os\n{code}"]
    return PipeChannel(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))


def test_a_pipe_keeps_its_deadlines() -> None:
    channel = child("time.sleep(60)")
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        channel.read(1, start + 0.3)
    with pytest.raises(TimeoutError):
        channel.send(bytes(10_000_000), time.monotonic() + 0.3)
    channel.close()
    channel.close()
    assert channel.process.returncode is not None


def test_a_pipe_ends_where_the_process_ends_and_gives_what_it_wrote() -> None:
    channel = child("sys.stdout.write('abcdef')")
    deadline = time.monotonic() + 60
    assert channel.read(2, deadline) + channel.read(4, deadline) == b"abcdef"
    for _ in range(2):
        with pytest.raises(EOFError):
            channel.read(1, deadline)
    channel.close()


def test_a_flood_through_a_pipe_takes_bounded_memory() -> None:
    channel = child("while True: os.write(1, bytes(1 << 20))")
    channel.read(5_000_000, time.monotonic() + 60)
    time.sleep(0.3)
    assert channel._parts.qsize() <= 8
    channel.close()


@linux
def test_memory_of_all_descendants_is_counted_and_ends_a_box() -> None:
    taker = "b = b'x' * 200_000_000\nos.fork()\nprint('ready', flush=True)\ntime.sleep(60)"
    parent = child(
        f"import subprocess\nsubprocess.run([sys.executable, '-c', {'import os, time; ' + taker!r}])"
    )
    before = private_bytes(os.getpid())
    deadline = time.monotonic() + 60
    while private_bytes(os.getpid()) < before + 190_000_000:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    grandchildren = set(descendants(parent.process.pid))
    assert len(grandchildren) >= 1
    for process in grandchildren:
        os.kill(process, 9)
    parent.close()

    ours, theirs = socket.socketpair()
    channel = SocketChannel(ours, lambda: 0.0, allowed=lambda: False)
    with pytest.raises(EOFError):
        channel.read(1, time.monotonic() + 60)
    channel.close()
    theirs.close()


@pytest.mark.slow
def test_the_runner_tells_a_reply_too_large_from_a_crash() -> None:
    handed_in = submission(("4.1", "import torch\ndef clip_logits(b, v):\n    return torch.zeros(3_000_000)"))
    with Box(LAB, reference().prelude, handed_in, LIMITS) as box:
        case = reference().recorded["4.1"][0].inputs
        with pytest.raises(AnswerError, match="over 1,000,000 bytes"):
            box.student("4.1", 1_000_000)(case)
        assert isinstance(box.student("4.1")(case)["logits"], torch.Tensor)
