"""The conda file, pyproject and constraints tell one story."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from efficientlab import cli, environment
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


def test_binder_has_the_core_of_the_conda_file() -> None:
    binder = yaml.safe_load((ROOT / "binder" / "environment.yml").read_text(encoding="utf-8"))
    specs = [
        spec.replace("pytorch-cpu", "pytorch") for spec in binder["dependencies"] if isinstance(spec, str)
    ]
    assert specs == [spec for spec in CONDA["dependencies"] if isinstance(spec, str)]
    assert binder["dependencies"][-1] == {"pip": ["--editable ."]}
    assert os.access(ROOT / "binder" / "postBuild", os.X_OK)


def test_open3d_comes_from_pip_with_the_bounds_of_the_viz_extra() -> None:
    pip = next(spec["pip"] for spec in CONDA["dependencies"] if isinstance(spec, dict))
    viz = [Requirement(r) for r in PYPROJECT["optional-dependencies"]["viz"]]
    assert {Requirement(p).name for p in pip if not p.startswith("-")} == {r.name for r in viz}
    assert Requirement(pip[0]).specifier == viz[0].specifier


def test_the_dev_container_installs_the_core_with_the_tested_set() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert container["onCreateCommand"].endswith("--constraint constraints.txt --editable .")


def test_workflows_call_commands_that_there_are() -> None:
    """A verb of ours, `.ci/run`, or a file of the repository: what is not here cannot be run there."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
        steps = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
        assert steps, path
        for step in steps:
            verb = re.match(r"python -m efficientlab (\w+)(.*)", step)
            if verb:
                options, rest = cli._parser().parse_known_args(shlex.split(verb[1] + verb[2]))
                assert not rest or options.verb in cli.PASS_ON
                places = re.findall(r"(?:labs|tests|solutions)[\w/.]*", verb[2])
                assert all((ROOT / place).exists() for place in places), step
            else:
                assert step.startswith("sudo apt-get") or os.access(ROOT / step, os.X_OK), step


def test_pre_commit_runs_the_linters_of_the_tests() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0][
        "hooks"
    ]
    tested = (ROOT / "tests" / "project" / "test_quality.py").read_text(encoding="utf-8")
    for hook in hooks:
        words = [f'"{word}"' for word in hook["entry"].split()[2:]]
        assert ", ".join(words) in tested, hook["id"]


def pinned() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {
        r.name.lower().replace("_", "-"): Version(str(r.specifier).removeprefix("==")) for r in requirements
    }


@pytest.mark.parametrize("group", ["core", "instructor", "dev", "site", "video"])
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
    while own := next((r for r in asked if r.name == PYPROJECT["name"]), None):
        asked.remove(own)
        asked += [Requirement(r) for inner in own.extras for r in extras[inner]]
    needed = {r.name for r in asked if r.marker is None or r.marker.evaluate()}
    assert {Requirement(r).name for r in environment.unmet(extra)} == needed


class Stopped(Exception):
    """The command would go on as another program here."""


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh checkout that lacks torch. Its `.venv/bin/python` notes what pip is asked for, or runs `pip.sh`."""
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)

    def create(folder: Path, with_pip: bool) -> None:
        python = folder / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(
            '#!/bin/sh\ncd "$(dirname "$0")/../.."; echo "$*" >> log; [ ! -f pip.sh ] || . ./pip.sh\n'
        )
        python.chmod(0o755)

    def become(command: list[str], **variables: str) -> None:
        raise Stopped(command)

    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "unmet", lambda extra: ["torch>=2.6"])
    monkeypatch.setattr(environment, "become", become)
    monkeypatch.setattr(venv, "create", create)
    monkeypatch.setattr(sys, "argv", ["efficientlab", "lab", "--no-browser"])
    return tmp_path


def provide(command: str) -> None:
    with pytest.raises(Stopped):
        environment.provide(command)


def asked_of_pip(checkout: Path) -> list[str]:
    log = checkout / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return [line.partition("--progress-bar off ")[2] for line in lines if "pip install" in line]


def test_a_student_gets_the_core_and_an_instructor_s_tools_come_when_asked_for(fresh: Path) -> None:
    provide("lab")
    assert asked_of_pip(fresh) == ["--constraint constraints.txt --editable ."]
    provide("lab")
    assert asked_of_pip(fresh) == [], "made once"
    provide("grade")
    assert asked_of_pip(fresh) == ["--constraint constraints.txt --editable .[instructor]"]


def test_a_checkout_that_was_moved_is_installed_anew(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provide("lab")
    asked_of_pip(fresh)
    moved = fresh.parent / f"{fresh.name} moved ü"
    fresh.rename(moved)
    monkeypatch.setattr(environment, "ROOT", moved)
    provide("lab")
    assert asked_of_pip(moved) == ["--no-deps --editable ."]
    provide("lab")
    assert asked_of_pip(moved) == []


def test_where_pip_fails_its_last_words_are_shown(fresh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fresh / "pip.sh").write_text(
        "echo Collecting soupsieve; echo 'ERROR: soupsieve needs Python 3.11.5'; exit 1\n"
    )
    with pytest.raises(SystemExit, match="Run it again to go on"):
        environment.provide("lab")
    assert "soupsieve needs Python 3.11.5" in capsys.readouterr().err
    (fresh / "pip.sh").unlink()
    asked_of_pip(fresh)
    provide("lab")
    assert len(asked_of_pip(fresh)) == 1, "a half-made environment is finished"


def test_the_environment_shows_its_steps(fresh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fresh / "pip.sh").write_text("echo Collecting x; echo '  Downloading torch-2.13.0.whl (191.2 MB)'\n")
    provide("lab")
    out = capsys.readouterr().out
    assert "gigabytes" in out
    assert "Downloading torch-2.13.0.whl (191.2 MB)" in out


def test_a_read_only_checkout_is_named(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SystemExit, match="this folder is read-only"):
        environment.provide("lab")


def test_ctrl_c_while_installing_gets_a_sentence(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "_pip", interrupted)
    with pytest.raises(SystemExit, match="Run it again to go on"):
        environment.provide("lab")


def test_what_an_old_python_reads_first_is_written_for_it() -> None:
    """Letters and statements that every Python has, up to the sentence on versions; no module but `sys` before it."""
    for name in ("__init__.py", "__main__.py"):
        ast.parse((ROOT / "efficientlab" / name).read_text(encoding="ascii"), feature_version=(3, 4))
    first, told, *_ = ast.parse((ROOT / "efficientlab" / "__main__.py").read_text(encoding="utf-8")).body
    assert ast.unparse(first) == "import sys"
    assert isinstance(told, ast.If) and "sys.exit" in ast.unparse(told)
    assert not any(isinstance(node, ast.JoinedStr) for node in ast.walk(told))  # f-strings came with 3.6


@pytest.mark.parametrize("release", ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10"])
def test_an_old_python_is_told_so(release: str) -> None:
    installed = [
        *Path.home().glob(f".pyenv/versions/{release}.*/bin/python"),
        shutil.which(f"python{release}"),
    ]
    python = next(filter(None, installed), None)
    if python is None or subprocess.run([str(python), "-c", ""], check=False).returncode:  # a shim of none
        pytest.skip(f"there is no Python {release} here")
    done = subprocess.run(
        [str(python), "-B", "-m", "efficientlab", "lab"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"efficientlab needs Python 3.11 or newer; this is {release}.")


@pytest.mark.slow
def test_commands_run_where_the_code_page_is_not_utf_8(tmp_path: Path) -> None:
    """An ASCII locale stands for the code pages of Windows: files are read with their own encoding."""
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "efficientlab", "check", str(tmp_path / "none.ipynb"), "--lab", "4"],
        cwd=ROOT,
        env={**os.environ, **plain},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "there is no such file" in done.stderr
    assert "Traceback" not in done.stderr


TEXT = {"read_text", "write_text"}


def test_no_text_is_read_or_written_in_the_system_s_code_page() -> None:
    """Beside ruff's PLW1514, which sees a path only where its type is plain."""
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "efficientlab").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name | ast.BinOp | ast.Call | ast.Attribute)
        and node.func.attr in TEXT
        and "encoding" not in {keyword.arg for keyword in node.keywords}
    ]
    assert bare == []
