"""Make the environment that a command needs, with nothing but Python's standard library.

A fresh machine has Python and this checkout. `provide` finds what a command needs in the running
interpreter, or else makes `.venv` beside the checkout, installs the project there with the pinned set of
`constraints.txt`, and starts the command again inside it.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

NEEDS = {
    "demo": ("torch", "safetensors", "matplotlib", "rich", "nbclient", "jupytext", "nbgrader"),
    "test": ("torch", "safetensors", "pytest", "nbval", "hypothesis", "ruff", "mypy", "nbgrader", "av"),
    "lab": ("torch", "safetensors", "matplotlib", "jupyterlab", "ipywidgets"),
    "build": ("torch", "safetensors", "matplotlib", "nbclient", "jupytext", "nbgrader", "PIL"),
    "check": ("torch", "safetensors", "rich"),
}


def provide(command: str) -> None:
    """Return if this interpreter can run `command`; otherwise run it inside `.venv` and exit with its status."""
    missing = [name for name in NEEDS[command] if importlib.util.find_spec(name) is None]
    if not missing:
        return
    python = _venv_python()
    if Path(sys.prefix).resolve() == (ROOT / ".venv").resolve():
        raise SystemExit(
            f"efficientlab {command}: {', '.join(missing)} is missing from {ROOT / '.venv'}; "
            "delete that folder and run the command again."
        )
    if not (ROOT / "pyproject.toml").exists():
        raise SystemExit(
            f"efficientlab {command}: {', '.join(missing)} is not installed; "
            "run: pip install 'efficientlab[dev]', or work from a clone of the repository."
        )
    _install(python)
    raise SystemExit(subprocess.call([str(python), "-m", "efficientlab", *sys.argv[1:]], cwd=Path.cwd()))


def _venv_python() -> Path:
    folder = "Scripts" if os.name == "nt" else "bin"
    return ROOT / ".venv" / folder / ("python.exe" if os.name == "nt" else "python")


def _install(python: Path) -> None:
    """Make `.venv` and install the project there; a stamp of the two requirement files skips a second time."""
    wanted = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    stamp = ROOT / ".venv" / f"installed-{hashlib.sha256(wanted).hexdigest()[:16]}"
    if stamp.exists() and python.exists():
        return
    if sys.version_info < (3, 11):  # noqa: UP036 (it runs before pip could refuse)
        raise SystemExit(f"efficientlab needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    print(f"Making the environment in {ROOT / '.venv'} (once; a few minutes) …", flush=True)
    if not python.exists():
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
    stamp.touch()
