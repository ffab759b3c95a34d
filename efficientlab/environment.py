"""Make the environment that a command needs, with nothing but Python's standard library.

A fresh machine has Python and this checkout. `provide` finds what a command needs in the running
interpreter, or else makes `.venv` beside the checkout, installs the project there with the pinned set of
`constraints.txt`, and starts the command again inside it.
"""

import hashlib
import os
import re
import subprocess
import sys
import venv
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

EXTRA = {"lab": "", "check": "", "demo": "instructor", "build": "instructor", "test": "dev"}
"""The extra of pyproject.toml that a command needs besides the core; any other command needs `instructor`."""


def provide(command: str) -> None:
    """Return if this interpreter can run `command`; otherwise run it inside `.venv` and exit with its status.

    Where there is no checkout around the package, pip has installed what it needs.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 (an older one may start this)
        raise SystemExit(f"efficientlab needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    if not (ROOT / "pyproject.toml").exists():
        return
    missing = unmet(EXTRA.get(command, "instructor"))
    if not missing:
        return
    inside = Path(sys.prefix).resolve() == (ROOT / ".venv").resolve()
    if inside and _stamp().exists():
        raise SystemExit(
            f"efficientlab {command}: {', '.join(missing)} is missing from {ROOT / '.venv'}; "
            "delete that folder and run the command again."
        )
    python = _venv_python()
    _install(python)
    raise SystemExit(subprocess.call([str(python), "-m", "efficientlab", *sys.argv[1:]], cwd=Path.cwd()))


def unmet(extra: str) -> list[str]:
    """The requirements of the project, with one extra, that this interpreter does not meet."""
    import tomllib  # since Python 3.11

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
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


def _stamp() -> Path:
    """A file in `.venv` that says: the project was installed here with these two requirement files."""
    wanted = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    return ROOT / ".venv" / f"installed-{hashlib.sha256(wanted).hexdigest()[:16]}"


def _install(python: Path) -> None:
    """Make `.venv`, or finish one that was left half made, and install the project there, once."""
    if _stamp().exists() and python.exists():
        return
    print(f"Making the environment in {ROOT / '.venv'} (once; a few minutes) …", flush=True)
    if not python.exists() or subprocess.call([str(python), "-c", "import pip"], stderr=subprocess.DEVNULL):
        try:
            venv.create(ROOT / ".venv", with_pip=True)
        except subprocess.CalledProcessError as error:
            raise SystemExit(
                "efficientlab could not make .venv: this Python lacks ensurepip. "
                "On Debian and Ubuntu, run: apt-get install python3-venv"
            ) from error
    command = [str(python), "-m", "pip", "install", "--quiet", "--constraint", "constraints.txt"]
    status = subprocess.call([*command, "--editable", ".[dev]"], cwd=ROOT)
    if status != 0:
        raise SystemExit(
            f"pip could not install the project (its exit status was {status}); its message is above."
        )
    _stamp().touch()
