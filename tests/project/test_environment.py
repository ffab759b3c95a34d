"""The conda file, pyproject and constraints tell one story."""

import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from efficientlab import environment
from efficientlab.environment import ROOT

CONDA_NAMES = {"torch": "pytorch"}  # PyPI's name → conda-forge's

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())
CORE = {r.name: r for r in map(Requirement, PYPROJECT["dependencies"])}


def conda_requirements() -> dict[str, Requirement]:
    specs = [Requirement(spec) for spec in CONDA["dependencies"] if isinstance(spec, str)]
    return {r.name: r for r in specs}


def test_every_core_dependency_is_in_the_conda_file_with_the_same_bounds() -> None:
    conda = conda_requirements()
    for name, requirement in CORE.items():
        assert conda[CONDA_NAMES.get(name, name)].specifier == requirement.specifier, name


def test_the_conda_file_asks_for_nothing_else() -> None:
    expected = {CONDA_NAMES.get(name, name) for name in CORE} | {"python", "pip"}
    assert set(conda_requirements()) == expected
    assert str(conda_requirements()["python"].specifier) == PYPROJECT["requires-python"]


def test_channels_are_conda_forge_alone() -> None:
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]


def test_open3d_comes_from_pip_with_the_bounds_of_the_viz_extra() -> None:
    pip = next(spec["pip"] for spec in CONDA["dependencies"] if isinstance(spec, dict))
    viz = [Requirement(r) for r in PYPROJECT["optional-dependencies"]["viz"]]
    assert {Requirement(p).name for p in pip if not p.startswith("-")} == {r.name for r in viz}
    assert Requirement(pip[0]).specifier == viz[0].specifier


def pinned() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {
        r.name.lower().replace("_", "-"): Version(str(r.specifier).removeprefix("==")) for r in requirements
    }


@pytest.mark.parametrize("group", ["core", "instructor", "dev", "video"])
def test_the_tested_set_satisfies_every_bound(group: str) -> None:
    pins = pinned()
    requirements = (
        CORE.values() if group == "core" else map(Requirement, PYPROJECT["optional-dependencies"][group])
    )
    for requirement in requirements:
        if requirement.name == "efficientlab":
            continue
        assert requirement.specifier.contains(pins[requirement.name.lower()]), requirement


def test_the_pinned_torch_and_triton() -> None:
    assert pinned()["torch"] == Version("2.13.0")
    assert pinned()["triton"] == Version("3.7.1")


def test_what_is_missing_or_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text(
        """
[project]
name = "efficientlab"
dependencies = ["torch>=2.6", "numpy>=99.1", "nosuchthing"]
[project.optional-dependencies]
instructor = ["nbgrader>=0.9.5", "no.such-thing>=1"]
video = ["av>=1000"]
dev = ["efficientlab[instructor,video]", "onlyonlinux>=3; sys_platform == 'linux'"]
"""
    )
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    assert environment.unmet("") == ["nosuchthing", "numpy>=99.1"]
    assert environment.unmet("instructor") == ["no.such-thing>=1", "nosuchthing", "numpy>=99.1"]
    monkeypatch.setattr("sys.platform", "darwin")
    assert environment.unmet("dev") == ["av>=1000", "no.such-thing>=1", "nosuchthing", "numpy>=99.1"]
    monkeypatch.setattr("sys.platform", "linux")
    assert "onlyonlinux>=3" in environment.unmet("dev")


@pytest.mark.parametrize("extra", ["", *PYPROJECT["optional-dependencies"]])
def test_every_requirement_of_the_project_is_read(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`unmet` reads requirements with the standard library alone; packaging reads them all."""
    monkeypatch.setattr(environment, "_met", lambda name, bound: False)
    extras = PYPROJECT["optional-dependencies"]
    asked = [Requirement(r) for r in PYPROJECT["dependencies"] + extras.get(extra, [])]
    for own in [r for r in asked if r.name == PYPROJECT["name"]]:
        asked.remove(own)
        asked += [Requirement(r) for inner in own.extras for r in extras[inner]]
    needed = {r.name for r in asked if r.marker is None or r.marker.evaluate()}
    assert {Requirement(r).name for r in environment.unmet(extra)} == needed
