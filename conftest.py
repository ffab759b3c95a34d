"""How the tests run: long files first; at the end what took how long, and how to run again what failed."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

os.environ["EFFICIENTLAB_KEEP"] = "no"  # notebooks train what they show


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Notebooks first, then files with a slow test, so that workers side by side end at about the same time."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path.suffix != ".ipynb", item.path not in slow))  # stable


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests run in one worker, which makes what they share once.

    Those of `tests/mutants` go by exercise: all ask the same answers, whose outcomes are kept (`answering.py`).
    """
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByExercise(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            exercise = re.match(r"(tests/mutants/).*\[\d+-(\d+\.\d+)", nodeid)
            scope: str = "".join(exercise.groups()) if exercise else super()._split_scope(nodeid)
            return scope

    return ByExercise(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """After pytest's list of failures, before its last line."""
    yield
    terminal = terminalreporter
    reports = [
        report
        for kind in ("passed", "failed", "skipped", "xfailed", "xpassed", "error")
        for report in terminal.stats.get(kind, [])
    ]
    seconds = Counter[str]()
    for report in reports:
        seconds[_part(report.nodeid)] += getattr(report, "duration", 0)
    if len(seconds) > 1:
        parts = ", ".join(f"{part} {spent:.0f}" for part, spent in seconds.most_common() if spent >= 1)
        terminal.write_line(f"Seconds, of all workers together: {parts or 'less than one'}.")
    failed = [r.nodeid for kind in ("failed", "error") for r in terminal.stats.get(kind, [])]
    again = dict.fromkeys(_again(nodeid) for nodeid in failed)
    if again:
        terminal.write_line("To run again what failed, one at a time:")
        for command in again:
            terminal.write_line(f"  {command}")


def _part(nodeid: str) -> str:
    """A notebook, or a folder of tests: solutions/lab4_tsm.ipynb, tests/kernels."""
    path = nodeid.partition("::")[0]
    return path if path.endswith(".ipynb") else "/".join(path.split("/")[:2])


def _again(nodeid: str) -> str:
    """The command for one test; cells of a notebook need those before them, so it is run whole."""
    path = nodeid.partition("::")[0]
    return f"python3 -m efficientlab test {shlex.quote(path if path.endswith('.ipynb') else nodeid)}"
