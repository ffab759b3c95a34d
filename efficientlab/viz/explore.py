"""A picture with controls where a person sits at a front end, and the picture alone everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from efficientlab.frontend import answered

if TYPE_CHECKING:
    from ipywidgets import Widget
    from matplotlib.figure import Figure


def explore(draw: Callable[..., Figure], **controls: Sequence[Any]) -> None:
    """Show `draw(**values)`; each control is the sequence of its values, the first of which is the default.

    In JupyterLab and Colab the controls stand over the picture: a slider for numbers, a list for words. The picture is
    an output of its own, so that a notebook that is saved and opened again still has it, as it was seen last.
    Elsewhere, and where ipywidgets is missing, the default picture is shown alone.
    """
    import matplotlib.pyplot as plt
    from IPython.display import display

    def drawn(**values: Any) -> Figure:
        figure = draw(**values)
        plt.close(figure)
        return figure

    defaults = {name: values[0] for name, values in controls.items()}
    try:
        import ipywidgets
    except ImportError:
        ipywidgets = None
    if ipywidgets is None or not answered():
        display(drawn(**defaults))
        return
    chosen = {name: _control(name, values) for name, values in controls.items()}
    bar = ipywidgets.Box(list(chosen.values()), layout=ipywidgets.Layout(flex_flow="row wrap"))
    if "google.colab" in sys.modules:  # it saves widgets with the notebook, but does not update other outputs
        picture = ipywidgets.interactive_output(lambda **values: display(drawn(**values)), chosen)
        display(ipywidgets.VBox([bar, picture]))
        return
    display(with_words(bar, "Controls: run this cell to move them."), raw=True)
    shown = display(drawn(**defaults), display_id=True)

    def update(change: Any) -> None:
        shown.update(drawn(**{name: control.value for name, control in chosen.items()}))

    for control in chosen.values():
        control.observe(update, "value")


def _control(name: str, values: Sequence[Any]) -> Widget:
    import ipywidgets

    if not _sortable(values):
        return ipywidgets.Dropdown(options=list(dict.fromkeys(values)), value=values[0], description=name)
    return ipywidgets.SelectionSlider(
        options=sorted(set(values)), value=values[0], description=name, continuous_update=False
    )


def with_words(widget: Widget, words: str) -> dict[str, Any]:
    """The widget as an output that says `words` where there is no widget: on paper, or once its kernel has ended."""
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {"application/vnd.jupyter.widget-view+json": view, "text/plain": words}


def _sortable(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
