"""The knob: drag an edit and see a sub-generator's preview at once; let go and see the full generator's picture."""

from __future__ import annotations

import asyncio
import contextlib
import io
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from efficientlab.frontend import answered
from efficientlab.models.gan.anycost.configs import FULL, SIZES, Config
from efficientlab.models.gan.anycost.generator import LATENT, AnycostGenerator
from efficientlab.viz.explore import with_words
from efficientlab.viz.gan.translation import sixteen_levels
from efficientlab.viz.style import bare

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 256  # pixels a side on the screen
PAUSE = 0.3  # seconds without a movement after which the full picture is painted


class Budget(NamedTuple):
    """What a preview may use."""

    config: Config
    size: int


WHOLE = Budget(FULL, SIZES[-1])


class Painted(NamedTuple):
    """A picture and what it cost."""

    picture: Tensor  # (3, size, size) in [−1, 1], on the CPU
    seconds: float
    macs: int

    def __str__(self) -> str:
        return f"{1e3 * self.seconds:.1f} ms, {self.macs / 1e6:.1f} M MACs"


class Knob:
    """A person in a generator's latent space, whom sliders change.

    Args:
        generator: the flexible one.
        directions: name → step (64,) in w that a strength of 1 stands for.
        budgets: name → what a preview may use, from the cheapest.
        macs: (configuration, size) → MACs of a picture.
    """

    def __init__(
        self,
        generator: AnycostGenerator,
        directions: Mapping[str, Tensor],
        budgets: Mapping[str, Budget],
        macs: Callable[[Config, int], int],
    ) -> None:
        self.generator, self.directions, self.budgets, self.macs = generator, directions, budgets, macs
        self.shuffle(16)  # short hair, light skin: each edit shows

    @torch.inference_mode()
    def shuffle(self, seed: int) -> None:
        """Another person."""
        z = torch.randn(1, LATENT, generator=torch.Generator().manual_seed(seed))
        self.w = self.generator.mapping(z.to(self.generator.const.device))

    @torch.inference_mode()
    def paint(self, strengths: Mapping[str, float], budget: Budget = WHOLE) -> Painted:
        """The person with these edits, painted within a budget."""
        start = time.perf_counter()
        w = self.w + sum(s * self.directions[name].to(self.w.device) for name, s in strengths.items())
        picture = self.generator.synthesise(w, *budget)[0].cpu()
        return Painted(picture, time.perf_counter() - start, self.macs(*budget))

    def show(self) -> None:
        """Sliders in JupyterLab and Colab, over the still; the still alone elsewhere, and without ipywidgets.

        The still is an output of its own, so that a notebook that is saved and opened again has a picture.
        """
        import matplotlib.pyplot as plt
        from IPython.display import display

        if answered():
            with contextlib.suppress(ImportError):
                display(with_words(self.widget(), "Sliders: run this cell to move them."), raw=True)
        figure = self.still()
        display(figure)
        plt.close(figure)

    def still(self, strength: float = 2.0) -> Figure:
        """One row for each budget, one column for each edit: what the sliders would show."""
        import matplotlib.pyplot as plt

        budgets = {**self.budgets, "full": WHOLE}
        edits: dict[str, dict[str, float]] = {"as drawn": {}} | {
            name: {name: strength} for name in self.directions
        }
        figure, axes = plt.subplots(
            len(budgets),
            len(edits),
            figsize=(0.9 * len(edits) + 1.6, 0.95 * len(budgets) + 0.2),
            squeeze=False,
        )
        for ax, name in zip(axes[0], edits, strict=True):
            ax.set_title(name, fontsize=9)
        for row, (budget_name, budget) in zip(axes, budgets.items(), strict=True):
            for ax, strengths in zip(row, edits.values(), strict=True):
                painted = self.paint(strengths, budget)
                ax.imshow(sixteen_levels(painted.picture.clamp(-1, 1)).numpy())
                bare(ax)
            cost = f"{budget_name}\n{self.macs(*budget) / 1e6:.1f} M MACs"
            row[0].set_ylabel(cost, rotation=0, ha="right", va="center", fontsize=9)
        return figure

    def widget(self) -> Any:
        """The sliders: a preview with every movement, the full picture when they rest.

        Raises:
            ImportError: there is no ipywidgets.
        """
        import ipywidgets

        size = ipywidgets.Layout(width=f"{SHOWN}px", height=f"{SHOWN}px")
        preview, full = (ipywidgets.Image(format="png", layout=size) for _ in range(2))
        cost, full_cost = ipywidgets.Label(), ipywidgets.Label()
        sliders = {
            name: ipywidgets.FloatSlider(0.0, min=-3, max=3, step=0.1, description=name, readout_format=".1f")
            for name in self.directions
        }
        budget = ipywidgets.SelectionSlider(options=list(self.budgets), description="budget")
        another = ipywidgets.Button(description="shuffle", icon="random")
        back = ipywidgets.Button(description="reset", icon="undo")
        presets = [ipywidgets.Button(description=name) for name in self.directions]
        seeds = iter(range(1, 1 << 30))
        waiting: list[asyncio.TimerHandle] = []

        def strengths() -> dict[str, float]:
            return {name: slider.value for name, slider in sliders.items()}

        def finish() -> None:
            painted = self.paint(strengths())
            full.value, full_cost.value = png(painted.picture), f"full picture: {painted}"
            full.layout.opacity = "1"

        def moved(_: Any = None) -> None:
            painted = self.paint(strengths(), self.budgets[budget.value])
            preview.value, cost.value = png(painted.picture), f"preview: {painted}"
            full.layout.opacity = "0.35"  # out of date
            while waiting:
                waiting.pop().cancel()
            waiting.append(asyncio.get_event_loop().call_later(PAUSE, finish))

        def set_all(values: Mapping[str, float]) -> None:
            for name, slider in sliders.items():
                slider.value = values.get(name, 0.0)
            moved()

        def shuffled(_: Any) -> None:
            self.shuffle(next(seeds))
            moved()

        for control in (*sliders.values(), budget):
            control.observe(moved, "value")
        another.on_click(shuffled)
        back.on_click(lambda _: set_all({}))
        for button in presets:
            button.on_click(lambda clicked: set_all({clicked.description: 2.0}))
        moved()
        finish()
        pictures = ipywidgets.HBox(
            [ipywidgets.VBox([preview, cost]), ipywidgets.VBox([full, full_cost])],
        )
        return ipywidgets.VBox(
            [ipywidgets.HBox([another, back, *presets]), *sliders.values(), budget, pictures]
        )


def png(picture: Tensor, side: int = SHOWN) -> bytes:
    """A picture (3, s, s) in [−1, 1] as a PNG of `side` pixels a side, its pixels as squares."""
    from PIL import Image

    buffer = io.BytesIO()
    pixels = (_array(picture) * 255).round().byte().numpy()
    Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST).save(
        buffer, "PNG", compress_level=1
    )
    return buffer.getvalue()


def _array(picture: Tensor) -> Tensor:
    """(3, s, s) in [−1, 1] → (s, s, 3) in [0, 1]."""
    return (picture.clamp(-1, 1).movedim(0, 2) + 1) / 2
