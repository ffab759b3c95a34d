"""A picture with controls where a person sits at a front end, and the picture alone everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def answered() -> bool:
    """Whether a front end could answer this cell: JupyterLab and Colab can, nbval, nbclient and a grader cannot."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    kernel = getattr(get_ipython(), "kernel", None)
    # A client says with each request whether a person could type an answer to input().
    return bool(getattr(kernel, "_allow_stdin", False))


def explore(draw: Callable[..., Figure], **controls: Sequence[Any]) -> None:
    """Show `draw(**values)`; each control is the sequence of its values, the first of which is the default.

    In JupyterLab and Colab a slider stands over the picture for each control. Elsewhere, and where ipywidgets
    is missing, the default picture is shown alone.
    """
    import matplotlib.pyplot as plt
    from IPython.display import display

    def show(**values: Any) -> None:
        figure = draw(**values)
        display(figure)
        plt.close(figure)

    defaults = {name: values[0] for name, values in controls.items()}
    if not answered():
        show(**defaults)
        return
    try:
        import ipywidgets
    except ImportError:
        show(**defaults)
        return
    sliders = {
        name: ipywidgets.SelectionSlider(
            options=list(dict.fromkeys(sorted(values) if _sortable(values) else values)),
            value=values[0],
            description=name,
            continuous_update=False,
        )
        for name, values in controls.items()
    }
    output = ipywidgets.interactive_output(show, sliders)
    display(ipywidgets.VBox([*sliders.values(), output]))


def _sortable(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
