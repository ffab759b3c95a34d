"""The names that a notebook's front end gives without an import, for code without a kernel: `display`, `get_ipython`.

Answers keep such calls from when they were tried out. They behave as in a kernel, as far as an answer can see: nothing
is shown, and what asks where it runs learns that it is a notebook, and not Colab's.
"""

from __future__ import annotations

from typing import Any


class ZMQInteractiveShell:
    """Stands for IPython's shell, whose class and configuration tell programs that they run in a notebook."""

    config: dict[str, Any] = {"IPKernelApp": {}}  # noqa: RUF012
    user_ns: dict[str, Any] = {}  # noqa: RUF012

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


def frontend_names() -> dict[str, Any]:
    """The names, for a namespace in which a notebook's code runs."""
    shell = ZMQInteractiveShell()

    def get_ipython() -> ZMQInteractiveShell:
        return shell

    def display(*objects: Any, display_id: Any = None, **options: Any) -> DisplayHandle | None:
        return DisplayHandle() if display_id else None

    return {"get_ipython": get_ipython, "display": display}


def _nothing(*arguments: Any, **options: Any) -> None:
    return None
