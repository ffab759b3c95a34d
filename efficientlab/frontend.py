"""Who looks at this kernel's output: a person at a front end, or nobody; and what a person should see while waiting."""

from __future__ import annotations

import sys
from typing import Any


def answered() -> bool:
    """Whether a front end could answer this cell: JupyterLab and Colab can, nbval, nbclient and a grader cannot."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    kernel = getattr(get_ipython(), "kernel", None)
    # A client says with each request whether a person could type an answer to input().
    return bool(getattr(kernel, "_allow_stdin", False))


def progress_bar(total: int, unit: str, desc: str | None = None) -> Any:
    """A tqdm bar. A person at a notebook gets it as plain output, as errors stand on red there."""
    from tqdm import tqdm

    return tqdm(
        total=total, unit=unit, desc=desc, mininterval=1.0, file=sys.stdout if answered() else sys.stderr
    )
