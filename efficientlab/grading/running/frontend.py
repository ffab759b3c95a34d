"""The names that a notebook's front end gives without an import, for code without a kernel: `display`, `get_ipython`.

Answers keep such calls from when they were tried out. They behave as in a kernel, as far as an answer can see: nothing
is shown, and what asks where it runs learns that it is a notebook, and not Colab's.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any


class ZMQInteractiveShell:
    """Stands for IPython's shell, whose class and configuration tell programs that they run in a notebook."""

    config: dict[str, Any] = {"IPKernelApp": {}}  # noqa: RUF012

    def __init__(self, user_ns: dict[str, Any]) -> None:
        self.user_ns = user_ns

    def push(self, variables: dict[str, Any], **options: Any) -> None:
        """Make names in the notebook."""
        self.user_ns.update(variables)

    def run_cell(self, source: str, **options: Any) -> None:
        """Run a cell's text in the notebook; one that fails shows its error and goes on."""
        with suppress(Exception):
            exec(source, self.user_ns)

    ex = run_cell

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _nothing


ZMQInteractiveShell.__module__ = "ipykernel.zmqshell"


class DisplayHandle:
    """What `display(…, display_id=True)` returns."""

    display_id = "0"

    def display(self, *objects: Any, **options: Any) -> None:
        """Show nothing."""

    update = display


def frontend_names(namespace: dict[str, Any]) -> dict[str, Any]:
    """The names, for the namespace in which a notebook's code runs."""
    shell = ZMQInteractiveShell(namespace)

    def get_ipython() -> ZMQInteractiveShell:
        return shell

    def display(*objects: Any, display_id: Any = None, **options: Any) -> DisplayHandle | None:
        return DisplayHandle() if display_id else None

    return {"get_ipython": get_ipython, "display": display}


def _nothing(*arguments: Any, **options: Any) -> None:
    return None
