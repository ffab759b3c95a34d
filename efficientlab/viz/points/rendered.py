"""A lit picture of a cloud: rendered by Open3D where it is installed and can render, drawn by matplotlib elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from efficientlab.viz.points.clouds import AZIMUTH, ELEVATION, palette, seen_from
from efficientlab.viz.style import bare

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

STEPS = np.linspace(0.1, 1, 12)  # of the colour scale: without its darkest, which the shades are to have
LARGEST = (5.6, 3.6)  # inches: the width and the height within which a picture stays
PIXELS_PER_INCH = 240  # three times what is shown, to smooth the edges
PATIENCE = 60.0  # seconds: a processor that stands in for a graphics card needs about five
HEADLESS = {"EGL_PLATFORM": "surfaceless", "OPEN3D_CPU_RENDERING": "true"}
RENDERER = Path(__file__).with_name("offscreen.py")

_failed = False  # in this process: what fails once would cost each further picture up to twice PATIENCE


def cloud_picture(
    points: Tensor,
    colour_by: Tensor,
    title: str,
    azimuth: float = AZIMUTH,
    elevation: float = ELEVATION,
) -> Figure:
    """A still picture of a cloud with depth and light; see `seen_from` for where the viewer stands.

    Where Open3D is installed, but has no way to render here, one line says so, and matplotlib draws this picture and
    those that follow, as it does quietly where Open3D is missing.

    Args:
        points: (3, P).
        colour_by: (P,): integers are parts, each with a colour of its own; any others are values on a colour scale of
            twelve steps from their 1st to their 99th percentile.

    Raises:
        ValueError: a shape is not as above, or the cloud is empty.
    """
    import matplotlib.pyplot as plt
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    if points.ndim != 2 or points.shape[0] != 3 or not points.shape[1]:
        raise ValueError(f"points must be (3, P) with P ≥ 1; got {tuple(points.shape)}.")
    if colour_by.shape != points.shape[1:]:
        raise ValueError(
            f"colour_by must be ({points.shape[1]},), one a point; got {tuple(colour_by.shape)}."
        )
    place, nearness = seen_from(points, azimuth, elevation)
    seen = torch.cat([place, nearness[None]]).double().T.numpy()  # (P, 3): right, up, towards the viewer
    low, high = seen[:, :2].min(0), seen[:, :2].max(0)
    margin = 0.02 * max(*(high - low), 1e-6)
    (left, bottom), (right, top) = low - margin, high + margin
    across, up = right - left, top - bottom
    inches = np.array([across, up]) * min(LARGEST[0] / across, LARGEST[1] / up)

    scale = None
    if colour_by.is_floating_point():
        least, most = np.quantile(colour_by.cpu().numpy(), [0.01, 0.99])
        scale = ScalarMappable(Normalize(least, most), ListedColormap(colormaps["viridis"](STEPS)))
        colours = scale.to_rgba(colour_by.cpu().numpy())[:, :3]
    else:
        colours = palette(colour_by)[:, :3]

    beside, above = 0.8 * (scale is not None), 0.4  # inches for the colour scale and for the title
    figure, ax = plt.subplots(figsize=(inches[0] + beside, inches[1] + above))
    pixels = None
    if find_spec("open3d") and not _failed:
        pixels = _render(seen, colours, np.array([left, right, bottom, top]), inches)
    if pixels is None:
        order = seen[:, 2].argsort()  # the nearest points are painted last
        # Without smooth edges the picture takes a quarter of the bytes.
        ax.scatter(seen[order, 0], seen[order, 1], s=3.0, c=colours[order], linewidths=0, antialiased=False)
    else:
        ax.imshow(pixels, extent=(left, right, bottom, top), interpolation="antialiased")
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", title=title)
    bare(ax)
    if scale is not None:
        figure.colorbar(scale, ax=ax, shrink=0.7, extend="both")
    return figure


def _render(seen: Array, colours: Array, frame: Array, inches: Array) -> NDArray[np.uint8] | None:
    """Open3D's pixels (height, width, 3); or None, one line that says why, and no further attempt."""
    global _failed
    size = np.rint(inches * PIXELS_PER_INCH).astype(int).clip(16)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "cloud.npz", seen=seen, colours=colours, frame=frame, size=size)
        # -P keeps the script's own folder, and its file names, out of the search for modules.
        command = [sys.executable, "-P", str(RENDERER), folder]
        try:
            done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
            if done.returncode:  # without a screen, or with a driver that fails: on the processor
                done = subprocess.run(
                    command, env=os.environ | HEADLESS, capture_output=True, timeout=PATIENCE, check=False
                )
        except subprocess.TimeoutExpired:
            why = f"no picture after {PATIENCE:.0f} s"
        else:
            if done.returncode == 0:
                return np.load(Path(folder) / "picture.npy")
            said = done.stderr.decode(errors="replace").strip().splitlines()
            why = said[-1].strip() if said else f"its process ended with status {done.returncode}"
    remedy = ""
    if "vulkan" in why.casefold():  # Open3D 0.20 and later draw with it
        remedy = " On Debian and Ubuntu, apt-get install libvulkan1 mesa-vulkan-drivers helps."
    print(f"Open3D cannot render pictures here ({why}), so matplotlib draws them.{remedy}")
    _failed = True
    return None
