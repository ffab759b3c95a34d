"""The pinned set installs on every Python and platform that the course supports."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from efficientlab.environment import ROOT

PINS = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
PYTHONS = ["3.11.0", "3.11.2", "3.12.0", "3.13.0", "3.14.0"]  # 3.11.2 is Debian 12's


@pytest.mark.parametrize("python", PYTHONS)
def test_every_pinned_release_accepts_every_python_of_the_course(python: str) -> None:
    refused = []
    for pin in PINS:
        try:
            found = distribution(pin.name)
        except PackageNotFoundError:
            continue  # another platform's
        wants = found.metadata.get("Requires-Python") or ""
        if pin.specifier.contains(found.version) and python not in SpecifierSet(wants):
            refused.append(f"{pin} needs Python {wants}")
    assert not refused


@pytest.mark.slow
@pytest.mark.parametrize(
    ("python", "platform"),
    [
        ("3.11.0", "x86_64-manylinux_2_28"),
        ("3.12", "aarch64-manylinux_2_28"),
        ("3.13", "x86_64-pc-windows-msvc"),
        ("3.14", "aarch64-apple-darwin"),
    ],
)
def test_the_pinned_set_resolves_in_wheels(python: str, platform: str) -> None:
    """uv resolves for systems other than this one; it asks the package index."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed (pip install uv)")
    command = [uv, "pip", "compile", "--quiet", "--only-binary=:all:", f"--python-version={python}"]
    command += [
        f"--python-platform={platform}",
        "--constraint=constraints.txt",
        "--extra=dev",
        "pyproject.toml",
    ]
    macos = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}  # torch's wheels begin there
    done = subprocess.run(command, cwd=ROOT, env=macos, capture_output=True, text=True, check=False)
    if "error sending request" in done.stderr or "Could not connect" in done.stderr:
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    versions = dict(line.split("==") for line in done.stdout.splitlines() if "==" in line and line[0] != " ")
    assert {"torch", "jupyterlab", "nbgrader"} <= versions.keys()
