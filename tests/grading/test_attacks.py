"""Every planted attack: no point gained, nothing leaked, nobody harmed, nothing left behind.

By default in the strongest forked sandbox of this machine; EFFICIENTLAB_SANDBOXES="namespaces landlock bubblewrap"
names others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from efficientlab.grading.sandbox.contract import SandboxError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="boxes are forked on Linux only")

from attack_range import ATTACKS, Range  # noqa: E402

PROBES = ("canary_file", "environment", "network_tcp")
"""Attacks that succeed where there is no sandbox."""
SANDBOXES = os.environ.get("EFFICIENTLAB_SANDBOXES", "namespaces").split()


@pytest.fixture(scope="module", params=SANDBOXES)
def attack_range(request: pytest.FixtureRequest) -> Iterator[Range]:
    try:
        opened = Range(request.param)
    except SandboxError as error:
        pytest.skip(f"no {request.param} sandbox here: {error}")
    with opened:
        yield opened


def test_there_are_enough_attacks() -> None:
    assert len(ATTACKS) >= 40


@pytest.mark.parametrize(
    "attack",
    [pytest.param(p, id=p.stem, marks=[pytest.mark.slow] if p.stem not in PROBES else []) for p in ATTACKS],
)
def test_an_attack_is_defeated(attack_range: Range, attack: Path) -> None:
    outcome = attack_range.shoot(attack)
    assert outcome.defeated, f"{attack.stem} in {attack_range.sandbox.name}: {outcome}"


@pytest.mark.slow
def test_attacks_succeed_where_there_is_no_sandbox() -> None:
    with Range("none") as unprotected:
        for name in PROBES:
            path = next(path for path in ATTACKS if path.stem == name)
            assert "LEAK" in unprotected.shoot(path).leaked, name
