"""Pictures of GAN training: samples, curves over seeds, a discriminator's scores, what pictures are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from efficientlab.viz.style import BLUE, GREY, ORANGE, bare, coloured, logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def tile(pictures: Tensor, columns: int) -> Tensor:
    """Whole rows of pictures (N, C, H, W) in [−1, 1] as one in [0, 1], (rows (H + 1) − 1, columns (W + 1) − 1, C)."""
    framed = torch.nn.functional.pad((pictures.clamp(-1, 1) + 1) / 2, (0, 1, 0, 1), value=1.0)
    lines = framed.unflatten(0, (-1, columns)).permute(0, 3, 1, 4, 2)  # (rows, H + 1, columns, W + 1, C)
    return lines.flatten(2, 3).flatten(0, 1)[:-1, :-1]


def sample_grids(sets: Mapping[str, Tensor], columns: int, width: float = 1.75) -> Figure:
    """Sets of pictures (N, C, H, W) side by side, each as a grid under its name."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(sets), figsize=(width * len(sets), width + 0.3), squeeze=False)
    for ax, (name, pictures) in zip(axes.flat, sets.items(), strict=True):
        pixels = tile(pictures, columns).squeeze(2).numpy()
        ax.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="antialiased")
        bare(ax)
        ax.set_title(name)
    return figure


def training_curves(
    logs: Sequence[Mapping[str, Any]], own: Mapping[str, tuple[Sequence[int], Mapping[str, Sequence[float]]]]
) -> Figure:
    """FID and the discriminator's gap over steps: a band and its mean for logged seeds, a dashed line for own runs.

    Args:
        logs: runs of benchmarks/lab3_seeds.py, of one training set size.
        own: variant → (steps, {"fid": …, "gap": …}).
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.1))
    variants = list(dict.fromkeys(run["variant"] for run in logs))
    for color, variant in coloured(variants):
        runs = [run for run in logs if run["variant"] == variant]
        for ax, columns in (
            (axes[0], [run["fid"] for run in runs]),
            (axes[1], [run["rates"]["gap"] for run in runs]),
        ):
            _band(ax, runs[0]["step"], columns, color, variant)
        if variant in own:
            steps, measured = own[variant]
            for ax, key in zip(axes, ("fid", "gap"), strict=True):
                ax.plot(steps, measured[key], color=color, ls="--", lw=1)
    logarithmic(axes[0], "y")
    axes[0].set_title("FID to held-out pictures (lower is better)")
    axes[1].set_title("D takes for real: training minus held-out")
    axes[1].axhline(0, color=GREY, lw=0.8)
    for ax in axes:
        ax.set_xlabel("step")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(variants))
    return figure


def memory_curves(logs: Sequence[Mapping[str, Any]]) -> Figure:
    """Logged runs of one variant: FID, and the shares of real pictures that D accepts; bands from least to most."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(7.6, 2.7))
    steps = logs[0]["step"]
    panels = (
        (axes[0], (("FID", GREY, [run["fid"] for run in logs]),)),
        (
            axes[1],
            (
                ("training pictures", BLUE, [run["rates"]["train"] for run in logs]),
                ("held-out pictures", ORANGE, [run["rates"]["held_out"] for run in logs]),
            ),
        ),
    )
    for ax, lines in panels:
        for label, color, columns in lines:
            _band(ax, steps, columns, color, label)
        ax.set_xlabel("step")
    logarithmic(axes[0], "y")
    axes[0].set_title("FID to held-out pictures (lower is better)")
    axes[1].set_title("share that D takes for real")
    axes[1].set_ylim(0, 1.03)
    axes[1].legend(loc="center right")
    return figure


def score_distributions(runs: Mapping[str, Mapping[int, Mapping[str, Tensor]]], limit: float = 8.0) -> Figure:
    """Histograms of a discriminator's scores: a row for each run, a column for each step.

    Args:
        runs: name → step → {"train", "held_out", "fake"} → scores (n,).
        limit: scores beyond ± limit are counted at its ends.
    """
    import matplotlib.pyplot as plt

    steps = list(next(iter(runs.values())))
    figure, axes = plt.subplots(
        len(runs),
        len(steps),
        figsize=(2.1 * len(steps), 1.5 * len(runs) + 0.5),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    bins = torch.linspace(-limit, limit, 33).tolist()
    for line, (name, history) in zip(axes, runs.items(), strict=True):
        for ax, (step, scores) in zip(line, history.items(), strict=True):
            for color, (kind, values) in zip((BLUE, ORANGE, GREY), scores.items(), strict=True):
                style: dict[str, Any] = (
                    {"histtype": "stepfilled", "alpha": 0.3}
                    if kind == "fake"
                    else {"histtype": "step", "lw": 1.5}
                )
                ax.hist(
                    values.clamp(-limit, limit).numpy(),
                    bins,
                    density=True,
                    color=color,
                    label=kind.replace("_", "-"),
                    **style,
                )
            ax.axvline(0, color="black", lw=0.6)
            ax.set_yticks([])
            ax.set_title(f"{name}, step {step}" if ax is line[0] else f"step {step}", fontsize=9)
    for ax in axes[-1]:
        ax.set_xlabel("score of D")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def efficiency_curve(logs: Sequence[Mapping[str, Any]], own: Mapping[str, tuple[int, float]]) -> Figure:
    """Final FID against the number of training pictures: every logged run a dot, a line through the means.

    Args:
        logs: runs of benchmarks/lab3_seeds.py.
        own: variant → (pictures, FID) of runs made here, drawn as crosses.
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(4.8, 3.0))
    for color, variant in coloured(("none", "DiffAugment")):
        runs = [run for run in logs if run["variant"] == variant]
        sizes = sorted({run["pictures"] for run in runs})
        ax.plot(
            [run["pictures"] for run in runs],
            [run["test_fid"] for run in runs],
            "o",
            ms=3,
            color=color,
            alpha=0.6,
        )
        means = [mean(run["test_fid"] for run in runs if run["pictures"] == size) for size in sizes]
        ax.plot(sizes, means, color=color, label=variant)
        if variant in own:
            ax.plot(*own[variant], "x", ms=8, mew=2, color=color)
    logarithmic(ax, "xy")
    ax.set_xlabel("training pictures")
    ax.set_ylabel("FID to the test pictures")
    ax.legend()
    return figure


def _band(ax: Axes, steps: Sequence[int], runs: Sequence[Sequence[float]], color: str, label: str) -> None:
    """The mean of runs, (runs, steps), over a band from the least to the most."""
    values = list(zip(*runs, strict=True))
    ax.fill_between(steps, list(map(min, values)), list(map(max, values)), color=color, alpha=0.2, lw=0)
    ax.plot(steps, list(map(mean, values)), color=color, label=label)
