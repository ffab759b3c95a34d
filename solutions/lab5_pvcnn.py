# %% [markdown]
# # Lab 5 · Points and voxels together
#
# A LiDAR or a depth camera gives a *cloud*: a list of points in space, in no order, most of space empty. Two kinds of
# networks read clouds. One looks at points: each by itself, which is blind to neighbours, or with its neighbours, which
# have to be fetched from all over memory. The other sorts the points into a grid of *voxels* (volume pixels), and spends
# its memory on empty ones. In this lab you build the **Point-Voxel CNN** (PVCNN) of
# [Liu, Tang, Lin and Han, NeurIPS 2019](https://arxiv.org/abs/1907.03739), which takes the cheap half of each.
#
# **What you will have at the end.** Three results that your own code produces:
#
# 1. On real scans: how many voxels a grid wastes, how many points it merges, and what irregular access costs.
# 2. Two small PVCNNs. One labels parts better than a PointNet of more than twice its MACs, the other far better than a
#    voxel network of more than its MACs.
# 3. What each of its two branches is worth: you take one away at a time.
#
# **How to work.** Read, write the code of an exercise, run the check below it. Hints unfold. If you are stuck, go on: a
# later section that needs the missing piece says so, and `lab.borrow` hands it out for no points. The **core path** takes
# about 90 minutes: sections 1 to 4, and section 7 without what is marked *further* (exercise 5.8). Sections 5, 6 and 8 to
# 10 go further; they have points of their own, and you can do them in any order. The experiment of section 7 takes some
# minutes. Its networks are kept on disk. When you restart the notebook, they are used again, as long as your answers and
# the profile are the same.
#
# | symbol | meaning |
# |---|---|
# | $N$ | clouds in a batch |
# | $P$ | points in a cloud |
# | $C$ | channels: numbers that are known of a point or voxel |
# | $R$ | resolution: voxels along each axis of a grid, $R^3$ in all |
# | $V$ | occupied voxels: those that hold a point |
# | MAC | one multiplication and one addition (1 MAC = 2 FLOPs) |

# %% tags=["prelude"]
import os
from collections import OrderedDict
from functools import partial
from itertools import product

import torch
from torch import Tensor, nn

from efficientlab import kernels
from efficientlab.exercises.lab5 import lab
from efficientlab.exercises.profile import choose_profile

# %% [markdown]
# The numbers that set the size of the experiments stand here, once. `ci` is for a laptop's CPU, `colab` for one T4, and
# `full` reads ShapeNet-Part, which you have to download (section 8).
# Set the environment variable `EFFICIENTLAB_PROFILE` before you start Jupyter to choose another one. In code, `P` is the
# chosen profile, and `P.points` is the $P$ of the table.

# %%
PROFILES = {
    "ci": {
        "device": "cpu",
        "workers": 2,  # training runs at a time, one core each
        "points": 1024,  # P
        "train_clouds": 512,
        "test_clouds": 160,
        "epochs": 10,
        "batch": 8,
        "lr": 1e-2,
        "seeds": 1,
        "latency_clouds": 8,
    },
    "colab": {
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "workers": 1,
        "points": 2048,
        "train_clouds": 4096,
        "test_clouds": 640,
        "epochs": 4,
        "batch": 16,
        "lr": 4e-3,
        "seeds": 3,
        "latency_clouds": 32,
    },
}
PROFILES["full"] = PROFILES["colab"]  # and, in section 8, the real data set
P = choose_profile(PROFILES)
torch.set_num_threads(1)  # so that times do not depend on how many cores are idle

# %% [markdown]
# ## 1 · The problem: a cloud is neither a list nor an image
#
# The lab reads two kinds of clouds. The first are objects for **part segmentation**: every point is to be labelled with
# the part it belongs to. Eight categories of objects are drawn from formulas, with random proportions: boxes, tubes,
# rings. Every point comes with its *normal*, the direction in which the surface faces. A scanner does not see normals:
# its software estimates them from points around, and so ours are off by about 12°. Many parts are small: the bulb in a
# lamp, the hinge of a laptop, the pegs of a guitar. `points` $(N, 3, P)$ are coordinates; `features` $(N, 6, P)$ are
# coordinates and normals.

# %%
import matplotlib.pyplot as plt

from efficientlab.datasets.points.parts import PART_NAMES, part_clouds
from efficientlab.viz.points.clouds import clouds_by_part, show_turnable
from efficientlab.viz.style import use_style

use_style()
train = part_clouds("train", P.train_clouds, points=P.points)
test = part_clouds("test", P.test_clouds, points=P.points)
print(f"training features {tuple(train.features.shape)}, {len(PART_NAMES.names)} part labels")
clouds_by_part(test.points[:8], test.part[:8], PART_NAMES.categories)
plt.show()

# %% [markdown]
# In JupyterLab and in Colab you can turn this lamp with the mouse.

# %%
show_turnable(test.points[4], test.part[4], PART_NAMES.names, "a lamp")

# %% [markdown]
# The second are **real scans**: single turns of spinning LiDAR sensors in streets, in a parking lot and in an office
# (Ouster, Inc., BSD licence; `data/README.md`). They have no labels. You use them to measure what a grid keeps, and what
# access to memory costs. Only what lies within 20 m of the sensor is kept: one far point would stretch the grid over all of
# the street.

# %% tags=["nbval-check-output"]
from efficientlab.datasets.points.scans import load_scan, scan_names

NEAR = 20.0  # metres
scans = {}
for name in scan_names():
    points = torch.from_numpy(load_scan(name).points.T.copy())  # (3, P)
    distance = points.norm(dim=0)  # (P,)
    scans[name] = points[:, distance < NEAR]
    print(
        f"{name:10} {points.shape[1]:7,} points, the farthest at {distance.max():5.1f} m; "
        f"{scans[name].shape[1]:7,} of them within {NEAR:.0f} m"
    )

# %%
from efficientlab.viz.points.rendered import cloud_picture

# The sensor stands in the middle of the hole: even its lowest beams meet the ground further out.
street = scans["street"]
cloud_picture(street, street[2], "The street: height over the sensor in metres", elevation=35)
plt.show()

# %% [markdown] exercise="5.1"
# A grid needs coordinates that count voxels. Move each cloud's mean to the middle, and divide by the diameter of the ball
# around it that holds all points. With $q_p = x_p - \frac{1}{P}\sum_{p'} x_{p'}$,
#
# $$ g_p = \mathrm{clamp}\Big( R \cdot \Big(\tfrac12 + \frac{q_p}{2 \max_{p'} \lVert q_{p'} \rVert}\Big),\; 0,\; R-1 \Big). $$
#
# Integers are the centres of voxels. So the middle of the grid is at $(R-1)/2$, and this formula, the paper's, puts the
# mean half a voxel beside it, at $R/2$. If all points of a cloud coincide, the diameter is 0: such a cloud belongs there,
# too, at $R/2$, and must not become `nan`. Each cloud of the batch has its own mean and diameter. Leave
# the points themselves unchanged.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Which dimension of $(N, 3, P)$ does the mean run over, and which does the norm run over?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `keepdim=True` keeps a dimension of size 1 where you averaged, so that shapes fit. Divide first and then choose with
# `torch.where` what to keep.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `centred.norm(dim=1, keepdim=True).amax(2, keepdim=True)` has shape $(N, 1, 1)$: the radius of each cloud.
# </details>


# %% exercise="5.1"
def normalize_to_grid(points: Tensor, resolution: int) -> Tensor:
    """Fit each cloud into a grid of R = resolution voxels along an axis.

    Shapes: points (N, 3, P), any unit; returns (N, 3, P), in [0, R − 1], in the dtype of the points.
    """
    ### BEGIN SOLUTION
    centred = points - points.mean(2, keepdim=True)
    radius = centred.norm(dim=1, keepdim=True).amax(2, keepdim=True)  # (N, 1, 1)
    scaled = torch.where(radius > 0, centred / (2 * radius), 0.0)
    return (resolution * (0.5 + scaled)).clamp(0, resolution - 1)
    ### END SOLUTION


# %% check="5.1"
lab.check("5.1", normalize_to_grid)

# %% [markdown]
# ## 2 · Into the grid
#
# Move the slider: points that share a voxel become one, at their mean. A coarse grid keeps neighbourhoods, and loses
# what lies within a voxel.

# %%
from efficientlab.viz.explore import explore
from efficientlab.viz.points.clouds import draw_voxels

explore(partial(draw_voxels, test.points[0]), resolution=(16, 4, 8, 32, 64))

# %% [markdown] exercise="5.2"
# Average the features of the points in each voxel. Point $p$ of cloud $n$ belongs to the voxel that its coordinates round
# to. `torch.round` rounds halves to the even neighbour, as the paper's code does.
#
# $$ y_{n,:,v} = \frac{1}{|\{p : v(p) = v\}|} \sum_{p : v(p) = v} x_{n,:,p}, \qquad\text{and 0 where there is no such } p. $$
#
# The voxel $(i, j, k)$ is number $v = (i R + j) R + k$ in its cloud, and number $n R^3 + v$ in the batch. No loop over points, please: `index_add` adds
# rows of one tensor to chosen rows of another, and gradients flow through it.
#
# <details><summary>Hint 1 · nudge</summary>
#
# An average is two sums: one of features, one of ones.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Make the features rows: `rows = features.transpose(1, 2).reshape(-1, C)` is $(N \cdot P, C)$. Then
# `rows.new_zeros(N * R**3, C).index_add(0, voxel, rows)` is the sum for each voxel, in the dtype of the features.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Divide by `count.clamp_min(1)`. Rows of voxels become a grid by `view(N, R, R, R, C)`, and then $C$ moves to place 1.
# </details>


# %% exercise="5.2"
def avg_voxelize(features: Tensor, coords: Tensor, resolution: int) -> Tensor:
    """The mean feature of the points in each voxel.

    Shapes: features (N, C, P); coords (N, 3, P) in [0, R − 1]; returns (N, C, R, R, R) in the dtype of the features,
    differentiable in them.
    """
    ### BEGIN SOLUTION
    n, channels, points = features.shape
    i, j, k = coords.round().long().unbind(1)  # (N, P) each
    cloud = torch.arange(n, device=features.device)[:, None]
    voxel = (((cloud * resolution + i) * resolution + j) * resolution + k).flatten()  # (N·P,)
    rows = features.transpose(1, 2).reshape(n * points, channels)
    total = rows.new_zeros(n * resolution**3, channels).index_add(0, voxel, rows)
    count = rows.new_zeros(n * resolution**3).index_add(0, voxel, torch.ones_like(rows[:, 0]))
    mean = total / count.clamp_min(1)[:, None]
    return mean.view(n, resolution, resolution, resolution, channels).movedim(4, 1)
    ### END SOLUTION


# %% check="5.2"
lab.check("5.2", avg_voxelize)

# %% [markdown] exercise="5.3"
# What does a grid keep, and what does it cost? For one cloud, report
#
# - `alone`: the share of the points that have a voxel to themselves. All others can no longer be told apart.
# - `occupied`: the share of the $R^3$ voxels that hold at least one point.
# - `bytes`: the size of a dense grid of $C$ channels in single precision, four bytes a number.
#
# <details><summary>Hint 1 · nudge</summary>
#
# How many points are in each voxel that occurs? The rest are empty.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Number the voxels as before, and ask `unique(return_counts=True)`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `alone` counts the ones among the counts, and divides by the *points*. `occupied` divides by the *voxels*.
# </details>


# %% exercise="5.3"
def grid_report(coords: Tensor, channels: int, resolution: int) -> dict[str, float]:
    """What a dense grid keeps of a cloud and what it costs: alone, occupied and bytes.

    Shapes: coords (3, P), in [0, R − 1].
    """
    ### BEGIN SOLUTION
    i, j, k = coords.round().long()
    count = ((i * resolution + j) * resolution + k).unique(return_counts=True)[1]  # (V,)
    return {
        "alone": (count == 1).sum().item() / coords.shape[1],
        "occupied": len(count) / resolution**3,
        "bytes": 4 * channels * resolution**3,
    }
    ### END SOLUTION


# %% check="5.3"
lab.check("5.3", grid_report)

# %% [markdown]
# What do you expect at $R = 256$, where a voxel of the street is less than 20 cm wide? How many percent of one object's points are
# alone in their voxel, how many of the street's, and of the office's? Write a number in place of each `None`, before you run
# the cell behind it. The lab keeps your numbers and sets the measurement beside them.

# %% tags=["guess"]
guess = {
    "one object": 80,  # your guess, in percent
    "street": 50,
    "office": 30,
}
lab.lock("percent alone at R = 256", guess)

# %% tags=["result"]
from efficientlab.viz.comparison import predicted_against_measured
from efficientlab.viz.points.grids import grid_curves

lab.needs("5.1", "5.3")
RESOLUTIONS = (8, 16, 32, 64, 128, 256)
reports = {
    name: [grid_report(normalize_to_grid(scan[None], r)[0], 64, r) for r in RESOLUTIONS]
    for name, scan in {"one object": test.points[0], **scans}.items()
}
print("points alone in their voxel | voxels that hold a point")
print(f"{'':10}" + "".join(f"{f'R = {r}':>16}" for r in RESOLUTIONS))
for name, rows in reports.items():
    print(f"{name:10}" + "".join(f"{row['alone']:7.1%} |{row['occupied']:7.2%}" for row in rows))
grid_curves(RESOLUTIONS, reports)
plt.show()
alone = {name: 100 * reports[name][-1]["alone"] for name in guess}
predicted_against_measured(guess, alone, "% alone at R = 256")
plt.show()
assert all(row["occupied"] < 0.02 for rows in reports.values() for row in rows[3:]), (
    "R ≥ 64: nearly all is empty"
)
assert reports["street"][-1]["alone"] < 0.25, "R = 256: most points of the street still share their voxel"

# %% [markdown]
# Read the three panels together. Memory grows as $R^3$. The finest of these grids takes gigabytes for one cloud, nearly
# every voxel of it is empty, and most of the street's points still share theirs. So a dense voxel network pays for
# emptiness *and* loses detail. It has one strength: the neighbours of a voxel lie at fixed places in memory.
#
# ## 3 · And back
#
# Suppose a convolution has mixed neighbouring voxels. Each point now has to take its feature from the grid. If it takes
# the nearest voxel's, all points of a voxel are alike. So it interpolates between the eight voxels around it.

# %% [markdown] exercise="5.4"
# Write the interpolation. With $l = \lfloor g \rfloor$ the lower corner of a point along each axis and
# $w = g - l$ the weight of the upper one,
#
# $$ y_p = \sum_{a \in \{0, 1\}^3} \; \prod_{d=1}^{3} \begin{cases} w_d & a_d = 1 \\ 1 - w_d & a_d = 0 \end{cases}
# \;\cdot\; x_{\,l_1 + a_1,\; l_2 + a_2,\; l_3 + a_3}. $$
#
# A point at $R - 1$ has no upper neighbour: its weight is zero, but the index must still exist.
# `product((0, 1), repeat=3)`, from the imports at the top, gives the eight corners.
#
# <details><summary>Hint 1 · nudge</summary>
#
# The weight of a corner is a product of three numbers, one for each axis, and all eight weights sum to 1.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Bring the grid into rows, $(N R^3, C)$. For each corner compute the number of a voxel $(N, P)$ and its weight $(N, P)$,
# and add `weight[..., None] * rows[voxel]`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# The upper index is `(low + 1).clamp_max(R - 1)`. The number of a voxel grows axis by axis: begin with the cloud's, and
# for each axis `voxel = voxel * R + index`.
# </details>


# %% exercise="5.4"
def trilinear_devoxelize(voxels: Tensor, coords: Tensor) -> Tensor:
    """Interpolate the grid at the points.

    Shapes: voxels (N, C, R, R, R); coords (N, 3, P) in [0, R − 1]; returns (N, C, P), differentiable in voxels.
    """
    ### BEGIN SOLUTION
    n, channels, resolution = voxels.shape[:3]
    rows = voxels.movedim(1, 4).reshape(n * resolution**3, channels)
    low = coords.floor()
    weight = coords - low  # (N, 3, P), of the upper neighbour
    low = low.long()
    high = (low + 1).clamp_max(resolution - 1)
    result = 0
    for corner in product((0, 1), repeat=3):
        voxel = torch.arange(n, device=rows.device)[:, None]
        share = torch.ones_like(weight[:, 0])  # (N, P)
        for axis, upper in enumerate(corner):
            voxel = voxel * resolution + (high if upper else low)[:, axis]
            share = share * (weight[:, axis] if upper else 1 - weight[:, axis])
        result = result + share[..., None] * rows[voxel]  # (N, P, C)
    return result.transpose(1, 2)
    ### END SOLUTION


# %% check="5.4"
lab.check("5.4", trilinear_devoxelize)

# %% [markdown]
# You have written both ends of a point-voxel convolution. `efficientlab.kernels` has the same functions, made fast: as
# weighted sums of whole rows, and in Triton on a GPU. Do they agree with yours, and what does the speed-up amount to?

# %%
from efficientlab.counters import compare

lab.needs("5.1", "5.2", "5.4")
x = torch.randn(8, 32, P.points)  # (N, C, P)
ours = normalize_to_grid(test.points[:8], 16)
grid = avg_voxelize(x, ours, 16)
back = trilinear_devoxelize(grid, ours)
assert torch.allclose(ours, kernels.normalize_to_grid(test.points[:8], 16), atol=1e-5)
assert torch.allclose(grid, kernels.avg_voxelize(x, ours, 16), atol=1e-5)
assert torch.allclose(back, kernels.trilinear_devoxelize(grid, ours), atol=1e-5)
rows_first = kernels.avg_voxelize(x, ours, 16)  # each voxel's channels side by side in memory
print(
    compare(
        {
            "devoxelize, yours": lambda: trilinear_devoxelize(rows_first, ours),
            "devoxelize, kernels": lambda: kernels.trilinear_devoxelize(rows_first, ours),
        },
        baseline="devoxelize, yours",
    )
)

# %% [markdown]
# ## 4 · The idea: two branches
#
# A grid is good at neighbourhoods and bad at detail. A layer that looks at each point alone is good at detail and blind
# to neighbourhoods. **PVConv** runs both and adds them:
#
# $$ y = \underbrace{\mathrm{devoxelize}(\mathrm{conv}(\mathrm{voxelize}(x)))}_{\text{coarse, with neighbours}}
# \;+\; \underbrace{\mathrm{mlp}(x)}_{\text{fine, alone}}. $$
#
# ```text
#              ┌─ voxelize ──> two 3×3×3 convolutions ──> devoxelize ─┐
# features ────┤   (N, C_in, R, R, R)      (N, C_out, R, R, R)        + ─> (N, C_out, P)
# (N, C_in, P) └───────────── one matrix for every point ─────────────┘
#
# points ──> normalize ──> coords: where voxelize puts, and devoxelize takes
# ```
#
# The grid can be coarse, because it does not have to carry detail. And the point branch never fetches a neighbour.

# %% [markdown] exercise="5.5"
# Write the block. It has two parts, and you need to give them these names, so that weights can be loaded:
#
# - `self.voxel_layers`: one `nn.Sequential` of six layers, twice (3×3×3 `nn.Conv3d` with padding 1 and without bias,
#   `nn.BatchNorm3d`, `nn.LeakyReLU(0.1)`), first from `in_channels` to `out_channels`, then from `out_channels` to
#   `out_channels`;
# - `self.point_layers`: an `nn.Sequential` of `nn.Conv1d` with kernel size 1 and without bias, `nn.BatchNorm1d` and
#   `nn.ReLU`.
#
# Use `kernels.normalize_to_grid(points, R)`, `kernels.avg_voxelize` and `kernels.trilinear_devoxelize`, which take the
# arguments of yours. Coordinates come from the points, features are what is averaged.
#
# <details><summary>Hint 1 · nudge</summary>
#
# A `Conv1d` with kernel size 1 applies the same matrix to every point.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Compute the coordinates once: both ends need the same ones.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# The last line of `forward` is a sum. There is no activation after it.
# </details>


# %% exercise="5.5"
class PVConv(nn.Module):
    """Point-voxel convolution: neighbourhoods on a coarse grid, details at each point, and their sum.

    Shapes: features (N, C_in, P) and points (N, 3, P) → (N, C_out, P).
    """

    def __init__(self, in_channels: int, out_channels: int, resolution: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.resolution = resolution
        self.voxel_layers = nn.Sequential(
            nn.Conv3d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm3d(out_channels),
            nn.LeakyReLU(0.1),
            nn.Conv3d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm3d(out_channels),
            nn.LeakyReLU(0.1),
        )
        self.point_layers = nn.Sequential(
            nn.Conv1d(in_channels, out_channels, 1, bias=False), nn.BatchNorm1d(out_channels), nn.ReLU()
        )
        ### END SOLUTION

    def forward(self, features: Tensor, points: Tensor) -> Tensor:
        ### BEGIN SOLUTION
        coords = kernels.normalize_to_grid(points, self.resolution)  # (N, 3, P)
        voxels = kernels.avg_voxelize(features, coords, self.resolution)  # (N, C_in, R, R, R)
        voxels = self.voxel_layers(voxels)  # (N, C_out, R, R, R)
        return kernels.trilinear_devoxelize(voxels, coords) + self.point_layers(features)  # (N, C_out, P)
        ### END SOLUTION


# %% check="5.5"
lab.check("5.5", PVConv)

# %% [markdown]
# ## 5 · Further: why not just fetch the neighbours?
#
# [PointNet++](https://arxiv.org/abs/1706.02413) and its successors gather, for each point, the features of its neighbours.
# Neighbours in space are not neighbours in memory. A processor never fetches one number: it fetches a *cache line*, 64
# bytes on most, and keeps about those that it used last. If the next access is to a kept line, it is cheap (a *hit*); if not, the
# processor waits for memory (a *miss*).

# %% [markdown] exercise="5.6"
# Count the misses of a cache. A table has rows of `row_bytes` bytes, one after the other, row 0 at address 0. `index` is
# the list of rows that are read, in this order; a row is read as a whole, so all lines that it touches, from the first to
# the last. The cache holds `cache_bytes // line_bytes` lines. When it is full, the line whose last use is *longest ago*
# makes room (LRU: least recently used). At the start it is empty.
#
# `OrderedDict`, from the imports at the top, remembers the order of its keys: `move_to_end(key)` makes a key the newest,
# `popitem(last=False)` removes the oldest.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Row $i$ covers bytes $i \cdot$ `row_bytes` up to, not including, $(i + 1) \cdot$ `row_bytes`. In which lines are the
# first and the last of them?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Two loops: over the rows, and over the lines of a row. A line that is in the cache becomes the newest; one that is not
# is a miss, and enters.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# After a line has entered, check `len(cache)`. One too many? The oldest leaves.
# </details>


# %% exercise="5.6"
def cache_misses(index: list[int], row_bytes: int, cache_bytes: int, line_bytes: int = 64) -> int:
    """How many lines must be fetched from memory when these rows are read through an LRU cache."""
    ### BEGIN SOLUTION
    cache, misses = OrderedDict(), 0
    for row in index:
        first = row * row_bytes // line_bytes
        last = ((row + 1) * row_bytes - 1) // line_bytes
        for line in range(first, last + 1):
            if line in cache:
                cache.move_to_end(line)
                continue
            misses += 1
            cache[line] = True
            if len(cache) > cache_bytes // line_bytes:
                cache.popitem(last=False)
    return misses
    ### END SOLUTION


# %% check="5.6"
lab.check("5.6", cache_misses)

# %% [markdown]
# Now read the same rows in three orders. The rows are the voxels of a grid over the street, 16 channels each; the points
# ask for the voxel they are in: in random order, in the order in which the sensor measured them, and sorted by voxel.
# Every order reads the same bytes.

# %% tags=["result"]
from efficientlab.viz.comparison import grouped_bars

lab.needs("5.1", "5.6")
i, j, k = normalize_to_grid(scans["street"][None], 64)[0].round().long()
voxel = (i * 64 + j) * 64 + k  # (P,)
orders = {
    "random": voxel[torch.randperm(len(voxel), generator=torch.Generator().manual_seed(0))],
    "as measured": voxel,
    "by voxel": voxel.sort().values,
}
CACHES = {"1 KB": 1 << 10, "4 KB": 4 << 10, "32 KB, as a core's first cache": 32 << 10}
misses = {
    cache: {name: [cache_misses(order.tolist(), 64, size) / len(order)] for name, order in orders.items()}
    for cache, size in CACHES.items()
}
table = torch.randn(64**3, 16)
reading = compare({name: partial(table.index_select, 0, order) for name, order in orders.items()}, "random")
print(f"{len(voxel):,} accesses to {len(voxel.unique()):,} rows of 64 bytes; misses per access:")
for name in orders:
    shares = ", ".join(f"{misses[cache][name][0]:.3f} ({cache})" for cache in CACHES)
    print(f"{name:12} {shares}; time {reading.ratio[name].value:.2f} × that of random order")
grouped_bars(misses, "misses per access")
plt.show()
for cache in CACHES:
    assert misses[cache]["by voxel"][0] <= misses[cache]["as measured"][0] <= misses[cache]["random"][0]

# %% [markdown]
# Sorted by voxel, each row is fetched once. Random access fetches most rows again and again. This is what "irregular" means,
# and no count of MACs shows it. The measured times differ less than the misses: a miss in the first cache is mended by the
# second, which is large enough for all of these rows.
#
# A grouping layer adds the search for neighbours on top. Here is one of PointNet++: it chooses 256 centres, each as far as can
# be from those before, finds up to 32 points around each, and takes the maximum of two small layers over them. Beside it stand
# two PVConvs. All three turn 32 channels into 64.

# %%
from efficientlab.counters import count, processor_time
from efficientlab.models.points.pointnet import SetAbstraction
from efficientlab.models.points.pvcnn import PVConv as LibraryPVConv

eight = test[:8].points.to(P.device)  # (N, 3, P)
x = torch.randn(8, 32, P.points, device=P.device)  # (N, C, P)
layers = {
    "grouping layer": SetAbstraction(32, (64, 64), centres=256, radius=0.2, neighbours=32),
    "PVConv, R = 16": LibraryPVConv(32, 64, 16),
    "PVConv, R = 8": LibraryPVConv(32, 64, 8),
}
for layer in layers.values():
    layer.eval().to(P.device)


def search():
    """What the grouping layer does first: centres, and neighbours of each."""
    centres = kernels.group(eight, kernels.farthest_point_sample(eight, 256))  # (N, 3, M)
    return kernels.ball_query(eight, centres, 0.2, 32)  # (N, M, K)


with torch.inference_mode():
    needed = compare(
        {name: partial(layer, x, eight) for name, layer in layers.items()} | {"its search alone": search},
        "grouping layer",
        timer=processor_time if P.device == "cpu" else None,
    )
print(needed)
macs = {name: count(layer, x[:1], eight[:1]).macs for name, layer in layers.items()}
print(", ".join(f"{name}: {number / 1e6:.0f} M MACs" for name, number in macs.items()))
assert macs["grouping layer"] == min(macs.values())

# %% [markdown]
# By MACs the grouping layer is the cheapest of the three, and it answers for 256 points only. By time the PVConv on 8³ voxels is:
# look how much of the other's goes into a search that multiplies next to nothing. Newer networks avoid the search.
# [Point Transformer V3](https://arxiv.org/abs/2312.10035) sorts the points along a curve through space and takes those that
# are near in the *list* for neighbours, so that they are neighbours in memory, too. Lab 6 draws such a curve.

# %% [markdown]
# ## 6 · Further: does the order of points matter?
#
# A cloud is a set. If the points are handed over in another order, the answers must be the same, in that order
# (*equivariance*): $f(x_\pi) = f(x)_\pi$ for any permutation $\pi$.

# %% [markdown] exercise="5.7"
# Measure it. For a network $f$, give the largest absolute difference between the answer to the permuted cloud and the
# permuted answer, $\max | f(x_\pi) - f(x)_\pi |$. Point $p$ of the permuted cloud is point `order[p]` of the original.
#
# <details><summary>Hint 1 · nudge</summary>
#
# What has to be permuted: features, points, answers? In which dimension?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `x[:, :, order]` permutes a tensor's last dimension.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Call the network twice. Permute the inputs of one call, and the output of the other.
# </details>


# %% exercise="5.7"
def permutation_gap(network, features: Tensor, points: Tensor, order: Tensor) -> float:
    """How far a network is from treating a cloud as a set: 0 if the order of its points does not matter.

    Shapes: features (N, C, P); points (N, 3, P); order (P,), a permutation; network(features, points) is (N, K, P), K
    numbers a point. The network is any function of the two, a module or not.
    """
    ### BEGIN SOLUTION
    permuted = network(features[:, :, order], points[:, :, order])  # (N, K, P)
    straight = network(features, points)[:, :, order]
    return (permuted - straight).abs().max().item()
    ### END SOLUTION


# %% check="5.7"
lab.check("5.7", permutation_gap)

# %% tags=["result"]
from efficientlab.models.points.pointnet import PointNet, SetAbstraction
from efficientlab.models.points.pvcnn import PVCNN

lab.needs("5.5", "5.7")
torch.manual_seed(0)
grouping = SetAbstraction(6, (16, 16), centres=64, radius=0.3, neighbours=8).eval()


def grouped(features, points):
    """Each centre's feature, spread to all points by its maximum: PointNet++'s view of the whole cloud."""
    return grouping(features, points)[0].amax(2, keepdim=True).expand(-1, -1, points.shape[2])


some = test[:4]
order = torch.randperm(P.points, generator=torch.Generator().manual_seed(1))
judged = {
    "PointNet": PointNet(width=0.5).eval(),
    "PVCNN, yours": PVCNN(width=0.125, resolution=0.5, block=PVConv).eval(),
    "grouping layer": grouped,
}
with torch.inference_mode():
    gaps = {name: permutation_gap(f, some.features, some.points, order) for name, f in judged.items()}
for name, gap in gaps.items():
    print(f"{name:16} {gap:.1e}")
assert gaps["PointNet"] < 1e-4 and gaps["PVCNN, yours"] < 1e-4 < gaps["grouping layer"]

# %% [markdown]
# A maximum and an average over a set do not know an order, up to rounding: sums in another order round differently. The
# grouping layer does know one. Its first centre is the point that happens to come first, and a ball that holds more
# points than it can take keeps those that come first in memory. So its answer changes with the order, unless the points
# are sorted first.
#
# ## 7 · The experiment
#
# First the costs, by hand.

# %% [markdown] exercise="5.8"
# *Further: everything else runs without this exercise.* Predict the cost of one PVConv for one cloud: a dictionary with these four integers.
#
# - `"voxel MACs"`: both convolutions (3×3×3, padding 1, no bias), $C_{in}$ multiplications a point to average, and eight
#   for each output channel of each point to interpolate;
# - `"point MACs"`: the matrix that is applied to every point;
# - `"voxel bytes"`: what both convolutions read and write of grids, in single precision: each reads its input once and
#   writes its output once. Weights are small; leave them out;
# - `"point bytes"`: the same for the point branch's matrix.
#
# Batch norm and activations count nothing here: a compiler can fold them into the layers before.
#
# <details><summary>Hint 1 · nudge</summary>
#
# One output number of a 3×3×3 convolution takes $27 \, C$ MACs. Which $C$, in each of the two?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# The first convolution reads $C_{in}$ and writes $C_{out}$ channels of $R^3$ voxels, the second reads and writes
# $C_{out}$.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Interpolation: $8 \cdot C_{out} \cdot P$. In bytes, a number is 4.
# </details>


# %% exercise="5.8"
def branch_costs(in_channels: int, out_channels: int, resolution: int, points: int) -> dict[str, int]:
    """MACs and bytes of a PVConv's two branches for one cloud of P = points points."""
    ### BEGIN SOLUTION
    voxels = resolution**3
    convolutions = 27 * voxels * (in_channels * out_channels + out_channels * out_channels)
    ends = in_channels * points + 8 * out_channels * points
    return {
        "voxel MACs": convolutions + ends,
        "point MACs": in_channels * out_channels * points,
        "voxel bytes": 4 * voxels * (in_channels + 3 * out_channels),
        "point bytes": 4 * points * (in_channels + out_channels),
    }
    ### END SOLUTION


# %% check="5.8"
lab.check("5.8", branch_costs)

# %% tags=["nbval-check-output"]
from efficientlab.counters import count

lab.needs("5.5", "5.8")
cloud = torch.randn(1, 64, 1024), torch.randn(1, 3, 1024)
for r in (8, 16, 32):
    both = branch_costs(64, 64, r, 1024)
    counted = count(PVConv(64, 64, r).eval(), *cloud).macs
    assert counted == both["voxel MACs"] + both["point MACs"]
    print(
        f"R = {r:2}: voxel branch {both['voxel MACs'] / 1e6:7.1f} M MACs and {both['voxel bytes'] / 1e6:5.1f} MB, "
        f"point branch {both['point MACs'] / 1e6:4.1f} M MACs and {both['point bytes'] / 1e6:4.1f} MB"
    )

# %% [markdown]
# In MACs, the point branch is nearly free, and the voxel branch costs as $R^3$: halve the resolution, and it costs an
# eighth. That is the trade of PVCNN: a coarse grid, and a point branch that makes up for it.
#
# The contestants:
#
# | contestant | what it is |
# |---|---|
# | PointNet ×½, ×¼ | layers for each point and a maximum over all ([Qi et al. 2017](https://arxiv.org/abs/1612.00593), without its transformation networks), with ½ and ¼ of its channels |
# | voxel CNN | a dense 3D U-Net on 16³ voxels, interpolated at the points |
# | PVCNN ×⅛, ×¼ | three of your PVConv blocks on 16³, 8³ and 8³ voxels, with ⅛ and ¼ of the paper's channels |
# | without points, without voxels | PVCNN ×¼ with one branch missing |
#
# All see the same clouds for the same number of steps with the same optimiser. The score is **mIoU**, as ShapeNet-Part
# defines it. For each part of a cloud, *intersection over union*: of the points that carry the label in the answer or in
# truth, the share that carries it in both; a part that is in neither counts 1. Then the mean over the category's parts, and
# over clouds. Of the costs, *MB moved* is what all layers read and write for one cloud, and *peak MB* the most that activations
# take at one time.

# %%
from efficientlab.counters import compare, measure, processor_time
from efficientlab.models.points.pointnet import PointNet
from efficientlab.models.points.pvcnn import PVCNN, VoxelCNN
from efficientlab.models.points.pvcnn import PVConv as LibraryPVConv
from efficientlab.training.kept import kept
from efficientlab.training.points.segment import fit_all, predict, score

lab.needs("5.5")
CONTESTANTS = {
    "PointNet ×½": lambda: PointNet(width=0.5),
    "PointNet ×¼": lambda: PointNet(width=0.25),
    "voxel CNN": lambda: VoxelCNN(),
    "PVCNN ×⅛": lambda: PVCNN(width=0.125, resolution=0.5, block=PVConv),
    "PVCNN ×¼": lambda: PVCNN(width=0.25, resolution=0.5, block=PVConv),
    "without points": lambda: PVCNN(
        width=0.25, resolution=0.5, block=partial(LibraryPVConv, branches="voxels")
    ),
    "without voxels": lambda: PVCNN(
        width=0.25, resolution=0.5, block=partial(LibraryPVConv, branches="points")
    ),
}
one = test[:1]
costs = {
    name: measure(make().eval(), one.features, one.points, time=False) for name, make in CONTESTANTS.items()
}

# %% [markdown]
# Latency is measured on several clouds at a time, all contestants in turn, round after round, as a multiple of PointNet's.

# %%
lab.needs("5.5")
batch = test[: P.latency_clouds].to(P.device)
networks = {name: make().eval().to(P.device) for name, make in CONTESTANTS.items()}
with torch.inference_mode():
    timing = compare(
        {name: partial(net, batch.features, batch.points) for name, net in networks.items()},
        "PointNet ×½",
        timer=processor_time if P.device == "cpu" else None,
    )
print(timing)

# %% [markdown]
# Now train them, `P.workers` at a time, one core each: some minutes the first time, and seconds after a restart.

# %%
lab.needs("5.5")
ASIDE = ("PointNet ×¼", "without voxels")  # no claim rests on them: one seed each
models, seeds = {}, {}
for name, make in CONTESTANTS.items():
    for seed in range(1 if name in ASIDE else P.seeds):
        torch.manual_seed(seed)  # of the initial weights
        models[name, seed] = make().to(P.device)
        seeds[name, seed] = seed
recipe = {"epochs": P.epochs, "batch": P.batch, "lr": P.lr}
runs = kept(
    f"{lab.slug}-{P.name}",
    models,
    lambda: fit_all(models, train, seeds=seeds, workers=P.workers, **recipe),
    code=CONTESTANTS,
    settings=vars(P),
)
print(f"{len(runs)} runs, {sum(run.cpu_seconds for run in runs.values()) / 60:.1f} minutes of processor time")
allowed = PART_NAMES.mask()
answers = {key: predict(net, test, allowed) for key, net in models.items()}
result = {key: score(answer, test, allowed) for key, answer in answers.items()}

# %% tags=["result"]
lab.needs("5.5")


def over_seeds(name):
    """Test mIoU in percent, one number a seed."""
    return [100 * result[key].instance for key in models if key[0] == name]


def mean(values):
    return sum(values) / len(values)


miou = {name: mean(over_seeds(name)) for name in CONTESTANTS}
print(
    f"{'':16}{'mIoU [lowest, highest]':>22}{'M MACs':>9}{'MB moved':>10}{'peak MB':>9}{'params':>9}{'time':>6}"
)
for name, cost in costs.items():
    values = over_seeds(name)
    spread = f"{mean(values):.1f} [{min(values):.1f}, {max(values):.1f}]"
    print(
        f"{name:16}{spread:>22}{cost.macs / 1e6:9.1f}{cost.bytes_moved / 1e6:10.1f}"
        f"{cost.peak_activation_bytes / 1e6:9.2f}{cost.params:9,}{timing.ratio[name].value:6.2f}"
    )

# %% [markdown]
# Before you read on: which of the claims at the top do these numbers support? Here they are as assertions. They speak of
# MACs. What does the last column say of both pairs, the small PVCNN and PointNet ×½, the larger one and the voxel CNN? No
# assertion holds it: with a processor's caches and vector units it changes more than a claim could bear.
#
# The column of peak memory says nothing of the branches: PVCNN ×¼ has the same peak with both, without points and without voxels. It
# lies behind the blocks, where PVCNN makes the most channels of every point, before the maximum over the cloud. With grids as
# small as PVCNN's, a table with a row for each point is what takes most. What a grid takes is in section 2.
#
# One seed is one draw: trained from other weights, the same network can score a point higher or lower. So one seed says of
# the small PVCNN no more than that it is not a point behind. `python benchmarks/lab_seeds.py 5` repeats this section with
# five seeds (`benchmarks/results/lab5-seeds.json`), and asserts the margins that three and more seeds can show: in them the
# small PVCNN is ahead.

# %% tags=["nbval-check-output"]
lab.needs("5.5")
small, large = "PVCNN ×⅛", "PVCNN ×¼"
assert costs[small].macs <= 0.5 * costs["PointNet ×½"].macs and costs[large].macs <= costs["voxel CNN"].macs
above_pointnet, above_voxels, above_no_points = (1, 10, 6) if P.seeds >= 3 else (-1, 9, 6)
for winner, rival, margin in (
    (small, "PointNet ×½", above_pointnet),
    (large, "voxel CNN", above_voxels),
    (large, "without points", above_no_points),
):
    gap = miou[winner] - miou[rival]
    assert gap > margin, f"{winner} is {gap:.1f} points above {rival}: was all of it trained as P says?"
assert len({costs[name].peak_activation_bytes for name in (large, "without points", "without voxels")}) == 1
ahead = (
    f"more than {above_pointnet} point above" if P.seeds >= 3 else f"less than {-above_pointnet} point behind"
)
print(f"The small PVCNN is {ahead} PointNet ×½, at less than half of its MACs.")
print(f"The larger PVCNN is more than {above_voxels} points above the voxel CNN, at fewer MACs.")
print(f"Without its point branch it loses more than {above_no_points} points.")

# %% [markdown]
# **Is one learning rate fair?** What suits one network may starve another. So each contestant was also trained at a quarter,
# half, twice and four times the rate, and scored on the validation split. These runs take longer than this notebook has, so
# they are recorded: `python benchmarks/lab_rates.py 5 --times 0.25 0.5 1 2 4` makes them again.

# %%
from efficientlab.training.recorded import show_rates

lab.needs("5.5")
rates = show_rates(5, "mIoU on validation", CONTESTANTS)
if rates:  # a copy without the repository lacks them
    best = {name: max(scores.values()) for name, scores in rates.items()}
    assert best[small] > best["PointNet ×½"] + 1
    assert best[large] > best["voxel CNN"] + 10 and best[large] > best["without points"] + 6
    worst = min(rates[large].values())
    assert worst > max(best["voxel CNN"], best["without points"]), "at its worst rate, too"

# %% [markdown]
# One rate is fair enough. Most networks, PointNet among them, are a little better at half of it, and with the best of the five
# for each all three gaps stay. The first is the narrowest, a point or two. The other two are wide: at its worst rate the larger
# PVCNN is still better than the voxel CNN, or itself without points, at their best.

# %% tags=["cover"]
from efficientlab.viz.comparison import quality_against_cost

lab.needs("5.5")
quality_against_cost(
    {name: over_seeds(name) for name in CONTESTANTS},
    {
        "million MACs a cloud": {name: cost.macs / 1e6 for name, cost in costs.items()},
        "time, in PointNet ×½'s": {name: timing.ratio[name].value for name in CONTESTANTS},
        "peak of activations, MB a cloud": {
            name: cost.peak_activation_bytes / 1e6 for name, cost in costs.items()
        },
    },
    "mIoU (%)",
)
plt.show()

# %% [markdown]
# Which parts does PVCNN win? Here is a car, and a laptop: above the answers, below what is wrong.

# %%
from efficientlab.viz.points.clouds import errors

lab.needs("5.5")
SHOWN = ("PointNet ×½", "voxel CNN", "PVCNN ×¼")
for index in (1, 5):
    errors(test.points[index], test.part[index], {name: answers[name, 0][index] for name in SHOWN})
    plt.show()

# %%
from efficientlab.viz.points.grids import part_bars

lab.needs("5.5")
SMALL = (
    "car mirror",
    "car light",
    "guitar peg",
    "guitar bridge",
    "lamp bulb",
    "laptop hinge",
    "mug rim",
    "rocket window",
)
by_part = {
    name: dict(zip(PART_NAMES.names, result[name, 0].part.tolist(), strict=True))
    for name in (*SHOWN, "without points", "without voxels")
}
part_bars({name: [parts[part] for part in SMALL] for name, parts in by_part.items()}, SMALL)
plt.show()
points_only, voxels_only = by_part["PointNet ×½"], by_part["voxel CNN"]
for part in ("car mirror", "car light"):
    assert voxels_only[part] > points_only[part], f"{part}: sticks out, but PointNet found it better"
for part in ("mug rim", "rocket window"):
    assert points_only[part] > voxels_only[part], (
        f"{part}: lies on something, but the voxel CNN found it better"
    )
for part in ("guitar bridge", "laptop hinge"):
    alone = max(by_part["without points"][part], by_part["without voxels"][part])
    assert by_part["PVCNN ×¼"][part] > alone + 0.1, f"{part}: one branch is enough"

# %% [markdown]
# Small parts decide, and they are of two kinds. A mirror or a light *sticks out*: its neighbourhood gives it away, and the
# voxel CNN finds it better than PointNet does. A rim or a window *lies on* something larger: a voxel of a 16³ grid averages it
# with what is around, and PointNet, which keeps each point, finds it better. PVCNN's grid is no finer, but its point branch
# still knows where exactly a point lies and which way its surface faces. The two last bars of each group show it with one
# branch: for some parts one is enough, and for the guitar's bridge and the laptop's hinge neither is.
#
# ## 8 · On real objects
#
# **ShapeNet-Part** holds 16,881 objects of 16 categories with 50 part labels. To run this section, accept its terms at
# [shapenet.org](https://shapenet.org), start Jupyter with `EFFICIENTLAB_PROFILE=full`, and set `EFFICIENTLAB_SHAPENET` to
# the folder `shapenetcore_partanno_segmentation_benchmark_v0_normal`; `efficientlab.datasets.archives` can fetch it. The
# authors' [repository](https://github.com/mit-han-lab/pvcnn) lists 85.8 mIoU at full size, and 83.5 for their PointNet. It
# lists 84.6 for a 3D U-Net: on real objects all gaps are a point or two, and voxels are ahead of PointNet. Our drawn objects,
# with their many small parts in 16³ voxels, set the contestants further apart.

# %%
if P.name == "full":
    from efficientlab.datasets.points.folders import SHAPENET_PARTS, shapenet_part

    lab.needs("5.5")
    folder = os.environ.get("EFFICIENTLAB_SHAPENET", "shapenet")
    objects, held_out = (shapenet_part(folder, split, points=P.points) for split in ("train", "test"))
    real = {
        "PointNet": PointNet(classes=50).to(P.device),
        "PVCNN ×½": PVCNN(classes=50, width=0.5, block=PVConv).to(P.device),
    }
    fit_all(real, objects, seeds=dict.fromkeys(real, 0), workers=P.workers, **recipe)
    for name, net in real.items():
        found = score(predict(net, held_out, SHAPENET_PARTS.mask()), held_out, SHAPENET_PARTS.mask())
        print(f"{name}: instance mIoU {found.instance:.3f}, category mIoU {found.category:.3f}")
else:
    print("This section needs ShapeNet-Part and the profile `full`.")

# %% [markdown]
# ## 9 · Your turn to judge

# %% [markdown] exercise="5.9"
# Answer in a few sentences each, with numbers from this notebook:
#
# 1. What does each branch of PVCNN contribute? Compare both ablations with the whole, and name for each a part that it
#    loses and the other one keeps.
# 2. A colleague proposes a voxel CNN on 64³ voxels for the street scans. What share of its voxels would hold a point,
#    what share of the points would be alone, and what would you propose instead?
# 3. MACs say that the point branch is nearly free. What do MACs not see in this lab? Name two measurements.

# %% [markdown] answer="5.9"
# 1. Without the point branch the mIoU falls most, above all on small parts that lie on something larger, such as the
#    rocket's window or the mug's rim, which the network without voxels finds nearly as well as the whole. Without the voxel
#    branch the network is a PointNet of three layers: it sees no neighbourhood but the whole cloud, and loses parts that their
#    surroundings give away, such as the car's mirrors. The guitar's bridge and the laptop's hinge show neither: both ablations lose them.
# 2. See the report of section 2: about one percent of the voxels are occupied, and nearly all points share their voxel. Store
#    and convolve occupied voxels only (sparse convolution), and keep a point branch for what they merge.
# 3. The order of access: the same bytes in random order miss the cache many times as often. The search for neighbours: the
#    grouping layer has the fewest MACs in section 5, and takes longer than a PVConv on 8³ voxels. And latency: the ratios of
#    time are not the ratios of MACs, in the table of section 7: the larger PVCNN has fewer MACs than the voxel CNN, and in
#    this run it takes longer; on another machine the two may come out the other way round. Memory also: bytes of the dense
#    grid as R³ (section 2).
#
# === BEGIN MARK SCHEME ===
# 8 points. (1) 3 points: both ablations cited (2), a part for each that the other one keeps (1). (2) 3 points: occupied and alone cited (2),
# sparse convolution or a coarser grid with a point branch (1). (3) 2 points: two of cache misses, the time of a
# search, latency ratios, the memory of a grid, each with a figure from the student's own run; the column of peak memory shows no branch.
# === END MARK SCHEME ===

# %% [markdown]
# ## 10 · Kernel corner
#
# On a GPU, thousands of points are voxelized at once, and several of them may be in one voxel. If two programs read a sum,
# add to it and write it back, one of them is lost. `tl.atomic_add(pointer + offsets, values, mask=…)` reads, adds and
# writes without letting anyone in between.
#
# [Triton](https://triton-lang.org/main/getting-started/tutorials/01-vector-add.html) kernels are written in Python. Many
# copies of the function, *programs*, run at once. In program `(p, block)` of a grid, `tl.program_id(0)` is p and
# `tl.program_id(1)` is block. `tl.arange(0, BLOCK)` is a
# vector of numbers 0 … BLOCK − 1. `tl.load(pointer + offsets, mask=…, other=0.0)` reads a vector of numbers from memory,
# and gives 0.0 where the mask is false. Without a GPU, Triton's interpreter runs the same kernel in Python: slow, and
# exact.

# %% [markdown] exercise="5.10"
# Write the averaging as a Triton kernel. `x` holds one row of `channels` numbers for each point, `y` one row for each
# voxel, all zero at the start. `voxel[p]` is the voxel of point $p$, and `weight[p]` is one over the number of points in
# that voxel. Program `(p, block)` adds `weight[p]` times `BLOCK` numbers of row $p$, beginning with number
# `block · BLOCK`, to row `voxel[p]` of `y`. The last block of a row may be partly outside: mask the load and the addition. If
# only one of them is masked, the sums are right here, and on a GPU the kernel may crash; so the check looks at every
# load and every addition.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Where does row $v$ of `y` begin, in numbers?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Load one voxel and one weight (`tl.load(voxel_ptr + point)` is a single number), then a vector of `x`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `channel < channels` is the mask of both the load and the addition.
# </details>

# %% exercise="5.10"
from efficientlab.exercises.kernel_corner import tl, triton  # Triton itself, where it is installed


@triton.jit
def voxelize_kernel(x_ptr, voxel_ptr, weight_ptr, y_ptr, channels, BLOCK: tl.constexpr):
    """One program adds BLOCK weighted numbers of one point's row to its voxel's row."""
    ### BEGIN SOLUTION
    point = tl.program_id(0)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = channel < channels
    voxel = tl.load(voxel_ptr + point)
    weight = tl.load(weight_ptr + point)
    row = tl.load(x_ptr + point * channels + channel, mask=inside, other=0.0)
    tl.atomic_add(y_ptr + voxel * channels + channel, weight * row, mask=inside)
    ### END SOLUTION


# %% check="5.10"
lab.check("5.10", voxelize_kernel)

# %% [markdown]
# ## What you have passed

# %%
lab.summary()

# %% [markdown]
# ## What to take with you
#
# - A dense grid pays for empty voxels, and merges the points of full ones. Its memory grows as $R^3$.
# - Fetching neighbours is irregular access. The bytes are the same, the cache misses are not.
# - Detail need not pass through the grid: a branch that looks at single points keeps it, so the grid for neighbourhoods
#   can be coarse. That is PVConv; on these objects, grids of 16³ and 8³ voxels were enough.
# - What a network does with a set must not depend on the order of its points. Check it; some layers do.
# - A rival has to be compared at equal cost, in MACs and in time, and over several seeds.
#
# **Further reading.** [PVCNN](https://arxiv.org/abs/1907.03739) · [PointNet](https://arxiv.org/abs/1612.00593) ·
# [PointNet++](https://arxiv.org/abs/1706.02413) · [SPVNAS](https://arxiv.org/abs/2007.16100), where the voxel branch is
# sparse.
