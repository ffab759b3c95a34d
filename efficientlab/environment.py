"""Make the environment that a command needs, with nothing but Python's standard library.

A fresh machine has Python and this checkout. `provide` finds what a command needs in the running
interpreter, or else makes `.venv` beside the checkout, installs the project there with the pinned set of
`constraints.txt`, and starts the command again inside it. Students get the core: the tools of instructors and
contributors come with the first command that needs them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import venv
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent

EXTRA = {"lab": "", "check": "", "demo": "instructor", "build": "instructor", "test": "dev", "site": "site"}
"""The extra of pyproject.toml that a command needs besides the core; any other command needs `instructor`."""


def provide(command: str) -> None:
    """Return if this interpreter can run `command`; otherwise go on inside `.venv`, which is made where it lacks.

    Where there is no checkout around the package, pip has installed what it needs.
    """
    if not (ROOT / "pyproject.toml").exists():
        return
    extra = EXTRA.get(command, "instructor")
    inside = Path(sys.prefix).resolve() == (ROOT / ".venv").resolve()
    missing = unmet(extra)
    if not missing and not (inside and _moved()):
        return
    if missing and inside and _stamp(extra).exists():
        raise SystemExit(
            f"efficientlab {command}: {', '.join(missing)} is missing from {ROOT / '.venv'}; "
            "delete that folder and run the command again."
        )
    python = _venv_python()
    try:
        _install(python, extra)
    except KeyboardInterrupt:
        raise SystemExit(
            f"\nStopped. Run it again to go on: what is downloaded is kept in {ROOT / '.venv'}."
        ) from None
    become([str(python), "-m", "efficientlab", *sys.argv[1:]])


def become(command: list[str], **variables: str) -> NoReturn:
    """Go on as another program, which gets Ctrl-C as if it had been started directly; never returns."""
    environment = {**os.environ, **variables}
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(command[0], command, environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Windows has no exec: wait, and leave Ctrl-C to the other
    raise SystemExit(subprocess.call(command, env=environment))


def python_path() -> str:
    """PYTHONPATH with this checkout first: processes that are started find it, wherever it was installed from."""
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def unmet(extra: str) -> list[str]:
    """The requirements of the project, with one extra, that this interpreter does not meet."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(extras[extra] if extra else [])]
    lacking = []
    while wanted:
        requirement, _, marker = wanted.pop().partition(";")
        match = re.fullmatch(r"([\w.-]+)(?:\[([\w,]+)\])?(?:>=([\d.]+))?", requirement.strip())
        if match is None:
            raise ValueError(f"pyproject.toml: {requirement!r} is not of the form name[extras]>=bound")
        name, inner, bound = match.groups()
        if name == project["name"]:
            wanted += [r for e in inner.split(",") for r in extras[e]]
        elif not (sys.platform != "linux" and "linux" in marker) and not _met(name, bound):
            lacking.append(requirement.strip())
    return sorted(lacking)


def _met(name: str, bound: str | None) -> bool:
    try:
        found = re.findall(r"\d+", version(name).partition("+")[0])
    except PackageNotFoundError:
        return False
    return [int(n) for n in found] >= [int(n) for n in (bound or "0").split(".")]


def _venv_python() -> Path:
    folder = "Scripts" if os.name == "nt" else "bin"
    return ROOT / ".venv" / folder / ("python.exe" if os.name == "nt" else "python")


def _stamp(extra: str) -> Path:
    """A file in `.venv` that says: the project was installed here with these two requirement files and this extra."""
    wanted = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    return ROOT / ".venv" / f"installed-{extra or 'core'}-{hashlib.sha256(wanted).hexdigest()[:16]}"


def _place() -> Path:
    """A file in `.venv` that holds the path of the checkout for which it was made."""
    return ROOT / ".venv" / "checkout"


def _moved() -> bool:
    """Whether the checkout has another path than when `.venv` was made: what is installed there points nowhere."""
    return not _place().exists() or _place().read_text(encoding="utf-8") != str(ROOT)


def _install(python: Path, extra: str) -> None:
    """Make `.venv`, or finish one that was left half made or was moved, and install the project there, once."""
    whole = _stamp(extra).exists() and python.exists()
    if whole and not _moved():
        return
    if not os.access(ROOT, os.W_OK):
        raise SystemExit(
            f"efficientlab would make its environment in {ROOT / '.venv'}, but this folder is read-only. Copy it to "
            "one of your own and run the command there."
        )
    if whole:
        print(f"This folder was moved: installing the project anew in {ROOT / '.venv'} …", flush=True)
        _pip(python, "--no-deps", "--editable", ".")
    else:
        print(
            f"Making the environment in {ROOT / '.venv'}, once: PyTorch and what else it needs.", flush=True
        )
        print(
            "That is a few minutes and gigabytes (Linux: 1.5 GB with the CPU's PyTorch, else 6).", flush=True
        )
        _make_venv(python)
        _pip(python, "--constraint", "constraints.txt", "--editable", f".[{extra}]" if extra else ".")
    _place().write_text(str(ROOT), encoding="utf-8")
    _stamp(extra).touch()


def _make_venv(python: Path) -> None:
    if python.exists() and not subprocess.call([str(python), "-c", "import pip"], stderr=subprocess.DEVNULL):
        return
    try:
        venv.create(ROOT / ".venv", with_pip=True)
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            "efficientlab could not make .venv: this Python lacks ensurepip. "
            "On Debian and Ubuntu, run: apt-get install python3-venv"
        ) from error
    except OSError as error:
        raise SystemExit(
            f"efficientlab could not make {ROOT / '.venv'}: {error.strerror or error}."
        ) from None


def _pip(python: Path, *arguments: str) -> None:
    """Install, with one line that moves; where that fails, end with what pip said last."""
    command = [str(python), "-m", "pip", "install", "--progress-bar", "off", *arguments]
    said: list[str] = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            said.append(line.rstrip())
            step = re.match(r"\s*((?:Collecting|Downloading|Building|Installing) [^\n;<>=!~]*)", line)
            if step and sys.stdout.isatty():
                width = shutil.get_terminal_size().columns - 1
                print(f"\r{step[1]:{width}.{width}}", end="", flush=True)
            elif step and re.search(r"\((?:[\d.]+ GB|\d{3,}[\d.]* MB)\)|^Installing", line):
                print(step[1].strip()[:100], flush=True)
    if sys.stdout.isatty():
        print()
    if pip.returncode != 0:
        print("\n".join(said[-20:]), file=sys.stderr)
        raise SystemExit(
            f"pip could not install the project (its exit status was {pip.returncode}); its last lines are above. "
            "Is this machine connected? Run it again to go on."
        )
