# %% [markdown]
# # Lab 7 · Two sensors, one map
#
# A car has cameras and a LiDAR. Pictures show colour and paint, and say nothing of distance. A LiDAR measures distance, and
# sees neither paint nor colour. In this lab you build **BEVFusion** ([Liu et al., ICRA 2023](https://arxiv.org/abs/2205.13542)),
# which brings both into one *bird's-eye view* (BEV): a grid on the ground, in which boxes around things and a map of the
# road are found together.
#
# **What you will have at the end.** Three results. Your code runs in all of them; the library adds a faster form of your
# pooling, and the scores of networks from other seeds.
#
# 1. From pixels to the ground: pooling that is many times faster than the form before it, and a hundred times as exact.
# 2. Which sensor carries which task, and what both together do better than the better one.
# 3. What breaks it: night, fewer beams, a camera that is not where it is believed to be.
#
# **How to work.** Read, write the code of an exercise, run the check below it. Hints unfold. If you are stuck, go on: a
# later section that needs the missing piece says so. The core path, sections 1 to 5, takes about 90 minutes. Sections 6 and
# 7, the question in section 8 and the kernel corner go further.
#
# | symbol | meaning |
# |---|---|
# | $N$, $M$ | streets in a batch, cameras of a street |
# | $H, W$ | rows and columns of a picture, or of its feature map |
# | $D$ | depths that a pixel may have |
# | $C$ | channels |
# | $X, Y$ | cells of the grid on the ground, ahead and to the left |
# | MAC | one multiplication and one addition (1 MAC = 2 FLOPs) |

# %% tags=["prelude"]
import os
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab import kernels
from efficientlab.exercises.lab7 import lab
from efficientlab.exercises.profile import choose_profile

# %% [markdown]
# The numbers that set the size of the experiments stand here, once. `ci` is for a laptop's CPU, `colab` for one T4, and
# `full` reads nuScenes, which you have to download (section 7). Set the environment variable `EFFICIENTLAB_PROFILE` before
# you start Jupyter to choose another one. In code, `P` is the chosen profile.

# %%
PROFILES = {
    "ci": {
        "device": "cpu",
        "train_streets": 240,
        "val_streets": 48,
        "test_streets": 64,
        "epochs": 2,
        "batch": 8,
        "lr": 4e-3,  # from nothing; of what is trained already, half of it
        "seeds": 5,  # of the runs whose scores ship with the lab
    },
    "colab": {
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "train_streets": 800,
        "val_streets": 64,
        "test_streets": 128,
        "epochs": 8,
        "batch": 8,
        "lr": 4e-3,
        "seeds": 5,
    },
}
PROFILES["full"] = PROFILES["colab"]  # and, in section 7, the real data set
P = choose_profile(PROFILES)
torch.set_num_threads(1)  # so that times do not depend on how many cores are idle

# %% [markdown]
# ## 1 · The problem: what no sensor sees alone
#
# The streets of this lab are made up, and seen by ray casting: four cameras of 32 × 96 pixels, which look ahead, to the
# left, to the right and behind, and a LiDAR of 24 beams. Two tasks:
#
# - **boxes** around cars, taxis, pedestrians and cyclists. A taxi is a car that is yellow: only a camera can tell.
# - **a map** of 64 × 64 cells of half a metre: what is drivable, crossings, bicycle lanes and dividers. All but the first
#   is paint. Areas overlap: a crossing is drivable.
#
# The two sensors complement each other here *by construction*: paint and the colour of a taxi are in no LiDAR point, and
# no picture holds a distance. Real sensors overlap more (a LiDAR measures how well a surface reflects, and paint reflects
# well), so expect less than these gains on real streets.
#
# In all frames here x points ahead, y to the left and z up. The *rig*, on which all sensors are mounted, stands in the
# middle of the grid.
#
# Why a view that neither sensor has? LiDAR points drawn into a picture lose distances: neighbours in it may lie metres apart.
# Features of pictures hung on the points (*PointPainting*, [Vora et al., CVPR 2020](https://arxiv.org/abs/1911.10150)) lose
# most of the picture: with 32 beams, about 5 % of them meet a point, by the authors of BEVFusion. On the ground both
# keep what they know.

# %%
import matplotlib.pyplot as plt

from efficientlab.datasets.streets.labels import CLASSES, GRID, MAPS
from efficientlab.datasets.streets.views import street_views
from efficientlab.viz.streets.cameras import camera_strip
from efficientlab.viz.streets.ground import ground_pictures
from efficientlab.viz.style import use_style

use_style()
test = street_views("test", P.test_streets)
night = street_views("test", P.test_streets, night=1.0)
val = street_views("val", P.val_streets, night=0.3)
train = street_views("train", P.train_streets, night=0.3, augment=True)
camera_strip(test[5:6])
plt.show()

# %% [markdown]
# Above, the boxes are drawn into the pictures. Below stands the true depth, which no camera measures. And from above, with
# the LiDAR's points:

# %%
ground_pictures(test[5:6], {})
plt.show()

# %% [markdown] exercise="7.1"
# A pixel $(u, v)$ shows a point somewhere on a ray. If its depth $d$ were known, in metres along the camera's axis, the
# point would be known, too. A camera at place $t$ with rotation $R$ sees a point $p$ of the rig's frame at
# $d \cdot (u, v, 1)^\top = K R^{-1} (p - t)$. The *intrinsics* $K$ hold the focal lengths and the principal point, where
# the axis meets the picture. Afterwards the picture is **augmented** for training: scaled, turned, mirrored, cropped. The
# pixel that the network reads is $(u', v', 1)^\top = A \, (u, v, 1)^\top$.
#
# Go back: undo $A$, then $K$, multiply by the depth, then turn and move.
#
# $$ p = R \, \big( d \cdot K^{-1} A^{-1} (u', v', 1)^\top \big) + t $$
#
# Matrices do not commute, so what came last goes first: $A$, then $K$. The depth is one number and may come in earlier, but
# it multiplies all three of $(u', v', 1)$: the third carries the shifts of $A$ and $K$, which the depth scales, too.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Which of the steps act on pixels, which on points?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# With points as rows, a matrix acts from the right, transposed: `rows @ matrix.T`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `torch.column_stack([pixels, ones])` is $(P, 3)$. Multiply by `depth[:, None]` after both inverses.
# </details>


# %% exercise="7.1"
def pixel_to_rig(
    pixels: Tensor, depth: Tensor, intrinsics: Tensor, rotation: Tensor, place: Tensor, augment: Tensor
) -> Tensor:
    """Where pixels of one camera lie in the rig's frame.

    Shapes: pixels (P, 2), u and v as the network reads them; depth (P,), metres; intrinsics K, rotation R and augment A
    (3, 3); place t (3,), metres; returns (P, 3).
    """
    ### BEGIN SOLUTION
    ones = torch.ones_like(depth)
    seen = torch.column_stack([pixels, ones]) @ augment.inverse().T  # (P, 3), as the camera took them
    rays = seen @ intrinsics.inverse().T  # (P, 3), one metre of depth long
    return (depth[:, None] * rays) @ rotation.T + place
    ### END SOLUTION


# %% check="7.1"
lab.check("7.1", pixel_to_rig)

# %% [markdown]
# Does it hold on a street? Take pixels of the augmented training pictures with their true depth, and ask how far from the
# LiDAR's points they land.

# %% tags=["nbval-check-output"]
lab.needs("7.1")
augmented, apart = train[0:1], []
for camera in range(4):
    pixels = torch.stack(
        torch.meshgrid(torch.arange(4.0, 92, 4), torch.arange(14.0, 30, 3), indexing="xy"), -1
    ).flatten(0, 1)
    depth = augmented.depth[0, camera].float()[pixels[:, 1].long(), pixels[:, 0].long()]
    near = depth < 15
    mount = augmented.to_rig[0, camera]
    landed = pixel_to_rig(
        pixels[near],
        depth[near],
        augmented.intrinsics[0, camera],
        mount[:3, :3],
        mount[:3, 3],
        augmented.augment[0, camera],
    )
    apart.append(torch.cdist(landed, augmented.points.rows[:, :3]).amin(1))
off = torch.cat(apart).median().item()
assert off < 0.5, (
    f"half of the pixels land more than {off:.1f} m from every point: an axis or a matrix is wrong"
)
print("Half of the pixels and more land within half a metre of a point that the LiDAR measured.")

# %% [markdown]
# ## 2 · Lift: a pixel that does not know its depth
#
# No camera knows the depth. So the network guesses: each pixel spreads over $D$ candidate depths, with weights that add up
# to 1 (*Lift, Splat, Shoot*, [Philion and Fidler, ECCV 2020](https://arxiv.org/abs/2008.05711)). Move the sliders: the
# depths of one pixel make a row of points on the ground.
#
# That pushes pixels out to the ground. One may also pull: each cell looks up the pixels that show it, as
# [BEVFormer](https://arxiv.org/abs/2203.17270) and [Simple-BEV](https://arxiv.org/abs/2206.07959) do. No depth has to be
# guessed then, but all places on one ray look up the same pixel.

# %%
from efficientlab.models.streets.camera import CameraBranch
from efficientlab.viz.explore import explore
from efficientlab.viz.streets.ground import pixel_on_the_ground

places = CameraBranch(1, GRID).points(test[5:6])[0]  # (M, D, h, w, 3)
explore(
    partial(pixel_on_the_ground, test[5:6], places),
    camera=(0, 1, 2, 3),
    column=(30, *range(0, 48, 2)),
    row=(11, 6, 8, 10, 12, 14),
)

# %% [markdown] exercise="7.2"
# A network gives $D + C$ numbers for each pixel. The first $D$ become weights by a softmax **over the depths alone**; the
# rest are features. *Lifting* multiplies each feature with each weight (here $n$ counts pictures, of all streets and cameras):
#
# $$ \alpha = \mathrm{softmax}_D(\text{first } D), \qquad \ell_{n,d,c,h,w} = \alpha_{n,d,h,w} \cdot f_{n,c,h,w} $$
#
# Return both, $\alpha$ and $\ell$.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Which numbers compete with each other?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Slice dimension 1 at $D$. A dimension of size 1 broadcasts.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `depth[:, :, None] * features[:, None]`
# </details>


# %% exercise="7.2"
def lift(logits: Tensor, depths: int) -> tuple[Tensor, Tensor]:
    """Weights of the depths and the lifted features.

    Shapes: logits (N, D + C, H, W) with D = depths; returns (N, D, H, W) and (N, D, C, H, W).
    """
    ### BEGIN SOLUTION
    depth = logits[:, :depths].softmax(1)  # (N, D, H, W)
    features = logits[:, depths:]  # (N, C, H, W)
    return depth, depth[:, :, None] * features[:, None]
    ### END SOLUTION


# %% check="7.2"
lab.check("7.2", lift)

# %% [markdown] exercise="7.3"
# *Further: everything else runs without this exercise.* Predict what lifting takes for one street: a dictionary with these
# four integers.
#
# - `"points"`: how many points the pixels of all cameras become;
# - `"lifted bytes"`: the size of $\ell$ in single precision, four bytes a number;
# - `"apart bytes"`: the size of weights and features kept apart;
# - `"MACs"`: one for each number of $\ell$ that is added to a cell, if every point falls into one.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Every pixel of every camera has $D$ depths and $C$ features.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# $\ell$ has $M \cdot D \cdot C \cdot H \cdot W$ numbers.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Kept apart they add: $D + C$ numbers a pixel.
# </details>


# %% exercise="7.3"
def lift_bytes(cameras: int, height: int, width: int, depths: int, channels: int) -> dict[str, int]:
    """Points, bytes and MACs of lifting the feature maps of one street."""
    ### BEGIN SOLUTION
    pixels = cameras * height * width
    return {
        "points": pixels * depths,
        "lifted bytes": 4 * pixels * depths * channels,
        "apart bytes": 4 * pixels * (depths + channels),
        "MACs": pixels * depths * channels,
    }
    ### END SOLUTION


# %% check="7.3"
lab.check("7.3", lift_bytes)

# %% tags=["nbval-check-output"]
lab.needs("7.2", "7.3")
given = torch.randn(4, 24 + 24, 16, 48)
spread, product = lift(given, 24)
ours = lift_bytes(4, 16, 48, 24, 24)
assert product.nbytes == ours["lifted bytes"] and spread.nbytes + given[:, 24:].nbytes == ours["apart bytes"]
for name, shape in {"this lab": (4, 16, 48, 24, 24), "BEVFusion": (6, 32, 88, 118, 80)}.items():
    cost = lift_bytes(*shape)
    print(
        f"{name:9}: {cost['points']:9,} points, lifted {cost['lifted bytes'] / 1e6:7.1f} MB, "
        f"apart {cost['apart bytes'] / 1e6:5.1f} MB"
    )

# %% [markdown]
# At the paper's size the lifted tensor is dozens of times as large as what it is made of. So the best lifting is one that
# never happens: multiply while you add.
#
# ## 3 · Splat: pooling in cells
#
# Every point falls into a cell of the ground, and what falls into one cell is **summed**.

# %% [markdown] exercise="7.4"
# Number the cells. A point at $(x, y, z)$ of street $b$ belongs to the cell
#
# $$ i = \lfloor (x - x_0) / \Delta x \rfloor, \quad j = \lfloor (y - y_0) / \Delta y \rfloor, \qquad
# \text{number } (b X + i) Y + j, $$
#
# if $0 \le i < X$, $0 \le j < Y$ and $z_0 \le z < z_1$. All other points get $-1$. An axis is a triple (start, stop,
# step). Take the floor: a point a tenth of a cell *outside* has $i = -1$, and cutting off its digits would make it 0.
#
# <details><summary>Hint 1 · nudge</summary>
#
# What does `.long()` do with $-0.1$?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# The number of cells of an axis is `round((stop - start) / step)`. Collect the conditions in one mask.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `torch.where(inside, (street * columns + i) * rows + j, -1)`
# </details>


# %% exercise="7.4"
def cell_index(
    points: Tensor,
    street: Tensor,
    x: tuple[float, float, float],
    y: tuple[float, float, float],
    z: tuple[float, float],
) -> Tensor:
    """The number of each point's cell, −1 outside of the grid.

    Shapes: points (P, 3), metres; street (P,), the street that each point belongs to; x and y are (start, stop, step), z
    is (lowest, highest); returns int64 (P,).
    """
    ### BEGIN SOLUTION
    columns, rows = (round((stop - start) / step) for start, stop, step in (x, y))
    i = ((points[:, 0] - x[0]) / x[2]).floor().long()
    j = ((points[:, 1] - y[0]) / y[2]).floor().long()
    inside = (i >= 0) & (i < columns) & (j >= 0) & (j < rows)
    inside &= (points[:, 2] >= z[0]) & (points[:, 2] < z[1])
    return torch.where(inside, (street * columns + i) * rows + j, -1)
    ### END SOLUTION


# %% check="7.4"
lab.check("7.4", cell_index)

# %% [markdown] exercise="7.5"
# The simplest pooling is `index_add`, row by row. *Lift, Splat, Shoot* has another form: sort the points by cell, take
# **prefix sums** over all of them, keep the sum at the *last* point of each run, and subtract neighbours.
#
# Points outside ($-1$) are dropped. Cells without points hold 0. Leave the inputs unchanged. Take one sum over all points, in the
# type of the rows: the cell below 7.6 measures what that costs, so the check does not take sums that begin anew in each cell.
#
# <details><summary>Hint 1 · nudge</summary>
#
# The sum over a run is the sum up to its end, less the sum up to the end of the run before.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# A point is the last of its run if the next point has another cell; the last of all is one, too.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `ends = rows.cumsum(0)[last]`; the first run has nothing to subtract.
# </details>


# %% exercise="7.5"
def pool_prefix_sums(rows: Tensor, cell: Tensor, cells: int) -> Tensor:
    """The sum of the rows of each cell, by sorting and prefix sums.

    Shapes: rows (P, C); cell (P,), 0 … cells − 1, or −1; returns (cells, C).
    """
    ### BEGIN SOLUTION
    rows, cell = rows[cell >= 0], cell[cell >= 0]
    order = cell.argsort()
    rows, cell = rows[order].cumsum(0), cell[order]
    last = torch.ones_like(cell, dtype=torch.bool)
    last[:-1] = cell[1:] != cell[:-1]
    ends = rows[last]  # (occupied cells, C): the sum of everything up to the end of each run
    pooled = rows.new_zeros(cells, rows.shape[1])
    pooled[cell[last]] = torch.cat([ends[:1], ends[1:] - ends[:-1]])
    return pooled
    ### END SOLUTION


# %% check="7.5"
lab.check("7.5", pool_prefix_sums)

# %% [markdown] exercise="7.6"
# BEVFusion cuts the sorted points into **intervals**, one for each cell, and adds up each by itself, from 0. And as promised, the
# lifted tensor is never made: each point knows its pixel, and the product with its depth's weight is taken while adding.
#
# $$ y_v = \sum_{p \,:\, \text{cell}(p) = v} \alpha_p \, f_{\text{pixel}(p)} $$
#
# `F.embedding_bag(index, table, offsets, mode="sum", per_sample_weights=w)` does that: bag $v$ holds the entries of
# `index` from `offsets[v]` up to `offsets[v + 1]`, and gives the weighted sum of those rows of `table`. Gradients flow
# through `table` and `w`.
#
# <details><summary>Hint 1 · nudge</summary>
#
# What has to be brought into the order of the cells? Three things belong to a point.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `torch.bincount(…, minlength=cells)` counts the points of each cell, also where there are none.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# The starts are the prefix sums of the counts, less the counts.
# </details>


# %% exercise="7.6"
def pool_intervals(depth: Tensor, features: Tensor, pixel: Tensor, cell: Tensor, cells: int) -> Tensor:
    """The sum over each cell's points of weight times the pixel's features, by sorting and intervals.

    Shapes: depth (P,), the weight of each point; features (Q, C), of pixels; pixel (P,), 0 … Q − 1; cell (P,),
    0 … cells − 1, or −1; returns (cells, C), differentiable in depth and features.
    """
    ### BEGIN SOLUTION
    order = cell.argsort(stable=True)
    order = order[cell[order] >= 0]  # the points inside, cell by cell
    counts = torch.bincount(cell[order], minlength=cells)
    starts = counts.cumsum(0) - counts  # (cells,): where each cell's points begin
    return F.embedding_bag(pixel[order], features, starts, mode="sum", per_sample_weights=depth[order])
    ### END SOLUTION


# %% check="7.6"
lab.check("7.6", pool_intervals)

# %% [markdown]
# Three forms of one sum. How exact are they, and how long do they take? First the digits, on the points of eight streets:
# differences from the sums in double precision.

# %% tags=["result"]
lab.needs("7.2", "7.4", "7.5", "7.6")
branch = CameraBranch(24, GRID)
batch = test[:8]
points = branch.points(batch)  # (N, M, D, h, w, 3)
n, m, d, h, w, _ = points.shape
rng = torch.Generator().manual_seed(0)
logits = torch.randn(n * m, d + 24, h, w, generator=rng)
logits[:, d:] = logits[:, d:].abs()  # after a ReLU, features are not negative: prefix sums only grow
weights, lifted = lift(logits, d)
flat = points.reshape(-1, 3)
street = torch.arange(n).repeat_interleave(m * d * h * w)
cells = n * GRID.cells[0] * GRID.cells[1]
cell = cell_index(flat, street, GRID.x, GRID.y, GRID.z)
rows = lifted.permute(0, 1, 3, 4, 2).reshape(-1, 24)  # (points, C), in the order of `flat`
features = logits[:, d:].permute(0, 2, 3, 1).reshape(-1, 24)  # (pixels, C)
pixel = (torch.arange(n * m)[:, None, None] * h * w + torch.arange(h * w)).expand(-1, d, -1).reshape(-1)
alpha = weights.reshape(-1)

inside = cell >= 0
exact = torch.zeros(cells, 24, dtype=torch.float64).index_add(0, cell[inside], rows[inside].double())
forms = {
    "index_add": lambda: torch.zeros(cells, 24).index_add(0, cell[inside], rows[inside]),
    "prefix sums": lambda: pool_prefix_sums(rows, cell, cells),
    "intervals": lambda: pool_intervals(alpha, features, pixel, cell, cells),
}
error = {name: (form().double() - exact).abs().max().item() for name, form in forms.items()}
print(
    f"{int(inside.sum()):,} of {len(flat):,} points fall into {int((exact.sum(1) > 0).sum()):,} of {cells:,} cells"
)
for name, value in error.items():
    print(f"{name:12} is off by up to {value:.1e}")
assert error["prefix sums"] > 100 * max(error["index_add"], error["intervals"]), (
    "your prefix sums lose no digits: are they taken over all points, or cell by cell?"
)

# %% [markdown]
# Prefix sums grow over all cells, and a number in single precision holds seven digits: what is left of the small difference
# of two large sums are its last ones. Each interval begins at 0 anew.
#
# And the time? The plain forms make the lifted tensor, and then add, or sort and take prefix sums, for every batch. The library's
# `bev_pool` adds by intervals, and keeps the **index**: which point falls into which cell depends on the cameras' matrices
# alone. On a rig that does not move they are the same in every frame, so sorting is done once. (In training every picture
# is augmented in its own way, so there the index is made anew.)

# %% tags=["result"]
from efficientlab.counters import compare, processor_time

lab.needs("7.2", "7.4", "7.5", "7.6")
index = kernels.bev_index(points, GRID)
split_weights = weights.view(n, m, d, h, w)
split_features = logits[:, d:].view(n, m, 24, h, w).contiguous()


def plain(pool):
    own = lift(logits, d)[1].permute(0, 1, 3, 4, 2).reshape(-1, 24)
    return pool(own, cell_index(flat, street, GRID.x, GRID.y, GRID.z), cells)


def pool_added(rows, cell, cells):
    return torch.zeros(cells, rows.shape[1]).index_add(0, cell[cell >= 0], rows[cell >= 0])


pooled = kernels.bev_pool(split_weights, split_features, index)  # (N, C, X, Y)
assert torch.allclose(pooled.permute(0, 2, 3, 1).reshape(cells, 24), exact.float(), atol=1e-4)
timing = compare(
    {
        "index kept, intervals": lambda: kernels.bev_pool(split_weights, split_features, index),
        "index made, intervals": lambda: kernels.bev_pool(
            split_weights, split_features, kernels.bev_index(points, GRID)
        ),
        "lift + index_add": lambda: plain(pool_added),
        "lift + prefix sums": lambda: plain(pool_prefix_sums),
    },
    "index kept, intervals",
    rounds=12,
    timer=processor_time if P.device == "cpu" else None,
)
print(timing)
assert timing.ratio["lift + prefix sums"].above(20)
assert timing.ratio["lift + index_add"].above(5)

# %% [markdown]
# On one core `index_add` is the faster of the two plain forms: it sorts nothing. On a GPU many threads add to one cell at once, and
# every addition has to be atomic; prefix sums need none, nor do intervals.
#
# That is pooling alone. Before you make one part of a network faster, ask how much of its time it takes. The camera branch
# has four stages for a batch of streets: **convolutions** make logits from pictures; **geometry** finds the points of all
# pixels; the **index** sorts them by cell; **pooling** adds up. Which share of the branch's time does each take? Write your
# guess, in percent, in place of each `None`. The lab keeps it and sets the measurement beside it.

# %% tags=["guess"]
guess = {
    "convolutions": 40,  # your guess, in percent of the camera branch
    "geometry": 10,
    "index": 20,
    "pooling": 30,
}
lab.lock("shares of the camera branch", guess)

# %% tags=["result"]
from efficientlab.counters import compare, processor_time
from efficientlab.viz.comparison import predicted_against_measured

camera_branch, eight = CameraBranch(24, GRID).eval(), test[:8]
with torch.inference_mode():
    depth_weights, seen = camera_branch.lift(eight)
    laid = camera_branch.points(eight)
    kept = kernels.bev_index(laid, GRID)
    timing = compare(
        {
            "the whole branch": lambda: camera_branch(eight),
            "convolutions": lambda: camera_branch.lift(eight),
            "geometry": lambda: camera_branch.points(eight),
            "index": lambda: kernels.bev_index(laid, GRID),
            "pooling": lambda: kernels.bev_pool(depth_weights, seen, kept),
        },
        "the whole branch",
        rounds=12,
        timer=processor_time if P.device == "cpu" else None,
    )
print(timing)
shares = {name: 100 * timing.ratio[name].value for name in guess}
predicted_against_measured(guess, shares, "% of the branch")
plt.show()
assert timing.ratio["pooling"].below(0.25)

# %% [markdown]
# The four shares are not all of the branch: what is left goes to a feature of ones and to dividing and mixing the sums, of which section 5
# tells. And a share is no quotient of the medians beside it: each round times every stage three times, and the ratio compares the best
# of them.
#
# What was once the bottleneck, pooling, is now a small part. Somebody who keeps the index saves the geometry and the index,
# and nothing of the convolutions; somebody who makes pooling faster still saves next to nothing. In the paper the plain
# pooling took 500 ms of a frame on an RTX 3090, and theirs 2 ms, with another 13 ms saved by the kept index. Here the
# pictures are small and the convolutions few, so the shares differ; that one has to measure before one improves does not.
#
# ## 4 · The other sensor, and both together
#
# A LiDAR's points become voxels, and sparse convolutions (lab 6) mix neighbours. What comes out are features of occupied
# voxels. To meet the camera's features, they have to lie flat.

# %% [markdown] exercise="7.7"
# Write the features of occupied voxels into a map. The $Z$ heights become channels: feature $c$ at height $z$ is channel
# $c \cdot Z + z$. Where there is no voxel, the map is 0. Gradients flow through it, to the features, whose type it has.
#
# <details><summary>Hint 1 · nudge</summary>
#
# First a grid with five dimensions, then exchange, then flatten two of them.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `grid[street, x, y, z] = features` writes all rows at once.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# From $(N, X, Y, Z, C)$: `permute(0, 4, 3, 1, 2).flatten(1, 2)`.
# </details>


# %% exercise="7.7"
def heights_to_channels(coords: Tensor, features: Tensor, size: tuple[int, int, int, int]) -> Tensor:
    """Occupied voxels as a map on the ground.

    Shapes: coords (V, 4), the street, x, y and z of each voxel; features (V, C); size is N, X, Y, Z; returns
    (N, C·Z, X, Y).
    """
    ### BEGIN SOLUTION
    n, columns, rows, heights = size
    street, x, y, z = coords.long().unbind(1)
    grid = features.new_zeros(n, columns, rows, heights, features.shape[1])
    grid[street, x, y, z] = features
    return grid.permute(0, 4, 3, 1, 2).flatten(1, 2)  # (N, C·Z, X, Y), channel c·Z + z
    ### END SOLUTION


# %% check="7.7"
lab.check("7.7", heights_to_channels)

# %% [markdown] exercise="7.8"
# Now both maps lie on one grid, and fusing them is a convolution. Concatenate, the camera first; then a 3×3 convolution
# with padding 1 and without bias, named `conv`, a batch norm named `norm`, with its defaults, and a ReLU. A sensor that fails
# is `None`: in its place stand zeros.
#
# Why a convolution and not a sum? The two maps have scales of their own, and a camera's depths are off by a cell or two.
#
# <details><summary>Hint 1 · nudge</summary>
#
# What shape do the zeros have? You know the channels of both sensors, and the rest from the one that is there.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `lidar.new_zeros(n, channels, columns, rows)`
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `self.norm(self.conv(torch.cat([camera, lidar], 1))).relu()`
# </details>


# %% exercise="7.8"
class ConvFuser(nn.Module):
    """Fuses the camera's map and the LiDAR's.

    Shapes: camera (N, C1, X, Y) or None; lidar (N, C2, X, Y) or None, not both; returns (N, out_channels, X, Y).
    """

    def __init__(self, camera_channels: int, lidar_channels: int, out_channels: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.channels = (camera_channels, lidar_channels)
        self.conv = nn.Conv2d(camera_channels + lidar_channels, out_channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)
        ### END SOLUTION

    def forward(self, camera: Tensor | None, lidar: Tensor | None) -> Tensor:
        ### BEGIN SOLUTION
        there = lidar if camera is None else camera
        n, _, columns, rows = there.shape
        maps = [
            there.new_zeros(n, channels, columns, rows) if given is None else given
            for given, channels in zip((camera, lidar), self.channels, strict=True)
        ]
        return self.norm(self.conv(torch.cat(maps, 1))).relu()
        ### END SOLUTION


# %% check="7.8"
lab.check("7.8", ConvFuser)

# %% [markdown]
# ## 5 · The experiment
#
# A small U-Net reads the fused map, and two heads read what it makes of it: for every cell the heat of a centre of each
# class and the box around it, and the map. Boxes are scored as nuScenes scores them: a box is found if its centre is within
# 0.5, 1, 2 or 4 m of the true one, and **mAP** is the average precision over these distances and all classes (you write it in
# section 6). The map is scored by overlap, which you write now.

# %% [markdown] exercise="7.9"
# **Intersection over union** of maps. A class is said to be where its probability, the sigmoid of its logit, is greater than
# a threshold. The counts of *all* streets are added first, and then divided: a street without crossings is no success.
#
# Each class has a threshold of its own, the one with the greatest IoU on the **validation** split. Return each class's IoU
# on the test split at that threshold.
#
# <details><summary>Hint 1 · nudge</summary>
#
# The same table, classes by thresholds, is needed of both splits.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `logits.sigmoid()[..., None] > thresholds` is $(N, K, X, Y, T)$; sum over everything but $K$ and $T$.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `table.gather(1, best[:, None])[:, 0]`
# </details>


# %% exercise="7.9"
def map_iou(
    val_logits: Tensor, val_truth: Tensor, test_logits: Tensor, test_truth: Tensor, thresholds: Tensor
) -> Tensor:
    """IoU of each class on the test split, at the thresholds that are best on the validation split.

    Shapes: logits (N, K, X, Y); truths bool (N, K, X, Y); thresholds (T,), of probabilities; returns (K,).
    """

    ### BEGIN SOLUTION
    def table(logits: Tensor, truth: Tensor) -> Tensor:
        said = logits.sigmoid()[..., None] > thresholds  # (N, K, X, Y, T)
        both = (said & truth[..., None]).sum((0, 2, 3))
        return both / (said | truth[..., None]).sum((0, 2, 3))  # (K, T)

    best = table(val_logits, val_truth).argmax(1)  # (K,)
    return table(test_logits, test_truth).gather(1, best[:, None])[:, 0]
    ### END SOLUTION


# %% check="7.9"
lab.check("7.9", map_iou)

# %% [markdown]
# Three networks of the same build: one runs with the cameras alone, one with the LiDAR alone, one with both. Two cores need longer than
# this notebook has to train them, so their weights ship with the lab (`python -m
# efficientlab.training.streets.contestants`; log and scores of all seeds are in `data/streets/contestants.json`). Here the
# shipped networks run with **your** functions: your geometry, your cells and your pooling in the camera branch, your heights
# in the LiDAR branch, your fuser, and your scores.
#
# The camera branch has three more ideas, which you did not write (`efficientlab/models/streets/camera.py`, and for the last
# `efficientlab/training/streets/depth.py`):
#
# - **It starts from a flat road.** From the matrices of a camera follows at which depth $g$ each pixel would see flat road.
#   To the logit of every depth $d$ is added $-\tau \log(1 + (d - g)^2)$, with one learnt number $\tau$. So before it has
#   learnt anything, the network lifts paint to about the right place; it has to learn only where the world is not flat.
# - **A cell says what, not how often.** A cell before the bumper gets dozens of times the pixels of one at the edge of the
#   grid, and its sums are as much larger. A feature that is 1 everywhere is pooled along, and its sum is the weight
#   $w_v = \sum_p \alpha_p$ that fell into cell $v$. The sums are divided by it, $y_v / (w_v + 0.1)$, and $\log(1 + w_v)$ becomes
#   one more channel, for how much a cell was seen is worth knowing. (Why 0.1? A cell that hardly anything fell into should
#   say little, not anything.)
# - **The LiDAR teaches it depth.** In training, the points that the LiDAR measured are the targets of $\alpha$: the loss has a cross-entropy
#   with the candidate depth of the nearest point that a pixel shows, and nothing for pixels without a point. That is so for *every* network
#   with cameras, also for the one that runs with the cameras alone: it needs no LiDAR when it runs, and it has had one to learn from.

# %%
from efficientlab.models.streets.geometry import feature_pixels
from efficientlab.models.streets.lidar import LidarBranch
from efficientlab.models.streets.pretrained import CONTESTANTS, load_contestant
from efficientlab.training.streets.fit import predict
from efficientlab.training.streets.metrics import DISTANCES, mean_average_precision

lab.needs("7.1", "7.4", "7.6", "7.7", "7.8")


class YourCameraBranch(CameraBranch):
    """The shipped camera branch, with the geometry and the pooling of this notebook."""

    def points(self, views):
        """(N, M, D, H, W, 3) from your `pixel_to_rig`."""
        height, width = (length // 2 for length in views.image.shape[-2:])
        pixels = feature_pixels(height, width, 2)[..., :2].reshape(-1, 2).to(self.depths)
        d, p = len(self.depths), len(pixels)
        places = [
            pixel_to_rig(
                pixels.repeat(d, 1),
                self.depths.repeat_interleave(p),
                views.intrinsics[n, m],
                views.to_rig[n, m, :3, :3],
                views.to_rig[n, m, :3, 3],
                views.augment[n, m],
            )
            for n in range(len(views))
            for m in range(views.image.shape[1])
        ]
        return torch.stack(places).view(len(views), -1, d, height, width, 3)

    def forward(self, views):
        """Lifted and pooled by your `cell_index` and `pool_intervals`; `settle` divides by the weight."""
        depth, features = self.lift(views)
        features = F.pad(features, (0, 0, 0, 0, 0, 1), value=1.0)  # a one: its sum is the weight of a cell
        n, m, d, h, w = depth.shape
        street = torch.arange(n).repeat_interleave(m * d * h * w).to(depth.device)
        cell = cell_index(self.points(views).reshape(-1, 3), street, self.grid.x, self.grid.y, self.grid.z)
        pixel = (torch.arange(n * m)[:, None, None] * h * w + torch.arange(h * w)).expand(-1, d, -1)
        rows = features.permute(0, 1, 3, 4, 2).reshape(n * m * h * w, -1)
        columns, lines = self.grid.cells
        pooled = pool_intervals(
            depth.reshape(-1), rows, pixel.reshape(-1).to(depth.device), cell, n * columns * lines
        )
        return self.settle(pooled.view(n, columns, lines, -1).permute(0, 3, 1, 2)), depth


class YourLidarBranch(LidarBranch):
    """The shipped LiDAR branch, with your heights."""

    def forward(self, points):
        x = self.encoder(self.voxels(points))
        return self.flat(heights_to_channels(x.coords, x.features, (len(points), *self.grid.cells, 4)))


class YourFuser(nn.Module):
    """Your `ConvFuser` with trained layers, for both sensors' maps side by side."""

    def __init__(self, trained):
        super().__init__()
        conv, norm, _ = trained
        self.half = conv.in_channels // 2
        self.fuser = ConvFuser(self.half, self.half, conv.out_channels)
        self.fuser.conv.load_state_dict(conv.state_dict())
        self.fuser.norm.load_state_dict(norm.state_dict())

    def forward(self, x):
        return self.fuser(*x.split(self.half, 1))


def with_yours(network):
    """The same weights, your functions."""
    if network.camera is not None:
        network.camera.__class__ = YourCameraBranch
    if network.lidar is not None:
        network.lidar.__class__ = YourLidarBranch
    if len(network.sensors) > 1:
        network.fuser = YourFuser(network.fuser)
    return network.to(P.device).eval()


networks = {name: with_yours(load_contestant(name)) for name in CONTESTANTS}

# %%
THRESHOLDS = torch.arange(0.2, 0.81, 0.05)
lab.needs("7.1", "7.4", "7.6", "7.7", "7.8", "7.9")
val_maps = {name: predict(network, val).map for name, network in networks.items()}


def scores_of(name, views):
    """(mAP, mIoU, AP of each class, IoU of each class) of one network in percent."""
    predictions = predict(networks[name], views)
    precision = 100 * mean_average_precision(predictions.boxes, views.boxes, len(CLASSES)).mean(1)
    iou = 100 * map_iou(val_maps[name], val.map, predictions.map, views.map, THRESHOLDS)
    return precision.mean().item(), iou.mean().item(), precision, iou


# %% tags=["result"]
lab.needs("7.1", "7.4", "7.6", "7.7", "7.8", "7.9")
by_day = {name: scores_of(name, test) for name in networks}
for measure, mean, names in (("mAP", 0, CLASSES), ("mIoU", 1, MAPS)):
    print(f"{'':8}{measure:>7}" + "".join(f"{name:>14}" for name in names))
    for network, scores in by_day.items():
        print(f"{network:8}{scores[mean]:7.1f}" + "".join(f"{percent:14.1f}" for percent in scores[mean + 2]))

# %% [markdown]
# A LiDAR finds boxes: it knows where things are. It cannot tell a taxi from a car, and sees no paint: what it scores on
# paint, it guesses from the shape of the street. Cameras see paint and colour, and know badly where. Fusion does not win
# every column. This one confuses taxis with cars, so the cameras alone find taxis better; and they are a little ahead of it
# at crossings, too.
#
# That is one network of each kind, of seed 0. Is it luck? The log holds the scores of networks from other seeds; in all of
# those, fusion finds taxis and crossings better than the cameras do. Each claim below is a difference within one seed: mean, lowest and
# highest. The log also has the networks of one sensor as they were after 8 epochs, when fusion took their branches over. The
# LiDAR's boxes were better then. So a rival of fusion is the better of both ages.

# %% tags=["result"]
import json

from efficientlab.datasets.files import data_path

log = json.loads(data_path("streets/contestants.json").read_text())


def of_seeds(network, condition, measure):
    """What the log's networks of one kind score, one number a seed."""
    scores = {run["seed"]: run["scores"] for run in log["runs"] if run["network"] == network}
    return np.array([scores[seed][condition][measure] for seed in range(P.seeds)])


box_day, map_day, map_night = (
    {name: of_seeds(name, condition, measure) for name in CONTESTANTS}
    for condition, measure in (("day", "mAP"), ("day", "mIoU"), ("night", "mIoU"))
)
fall = {name: map_day[name] - map_night[name] for name in CONTESTANTS}
RIVALS = [f"{sensor}{age}" for sensor in ("camera", "lidar") for age in ("", ", 8 epochs")]
box_rival, map_rival = (
    np.max([of_seeds(name, "day", measure) for name in RIVALS], 0) for measure in ("mAP", "mIoU")
)
claims = {
    "boxes, mAP: LiDAR over cameras": box_day["lidar"] - box_day["camera"],
    "boxes, mAP: fusion over the better sensor": box_day["fusion"] - box_rival,
    "map, mIoU: cameras over LiDAR": map_day["camera"] - map_day["lidar"],
    "map, mIoU: fusion over the better sensor": map_day["fusion"] - map_rival,
    "map at night: cameras lose more than fusion": fall["camera"] - fall["fusion"],
}
for claim, gains in claims.items():
    each = " ".join(f"{gain:5.1f}" for gain in gains)
    print(f"{claim:44} {gains.mean():5.1f} [{gains.min():.1f}, {gains.max():.1f}]   seeds: {each}")

# %% tags=["nbval-check-output"]
assert all(gains.mean() > 0 for gains in claims.values())
for measure, column in (("AP", CLASSES.index("taxi")), ("IoU", MAPS.index("crossing"))):
    ahead = (of_seeds("camera", "day", measure) - of_seeds("fusion", "day", measure))[:, column] > 0
    assert ahead.tolist() == [True] + [False] * (P.seeds - 1), "the cameras are ahead with seed 0 alone"
assert claims["boxes, mAP: fusion over the better sensor"].mean() > 5
assert claims["map, mIoU: fusion over the better sensor"].mean() > 3
print("Fusion is better than the better sensor at both tasks, in the mean of the log's seeds.")

# %% [markdown]
# On nuScenes, the authors report the same order: for cameras, LiDAR and both, 35.6, 64.7 and 68.5 mAP (their repository), and
# 56.6, 48.6 and 62.7 mIoU of the map (the paper's table III). The gaps here are wider, in the mean of the seeds, for here the
# sensors were made to complement each other.
#
# And on one street. The colour of a box is the class that was found; where two are found at one place, the surer one lies on top:

# %% tags=["cover"]
from efficientlab.viz.streets.ground import said

SURE = torch.full((len(MAPS),), 0.4)  # in pictures, an area is where its probability is above this
lab.needs("7.1", "7.4", "7.6", "7.7", "7.8")
one = test[5:6]
shown = {}
for name, network in networks.items():
    answer = predict(network, one)
    shown[name] = said(answer.map[0], SURE), answer.boxes.rows
ground_pictures(one, shown)
plt.show()

# %% [markdown]
# What do the features of each sensor look like before they are fused? Bright cells have strong features: long vectors over the
# channels, each picture on its own scale. And does the camera know its depths?

# %%
from efficientlab.viz.streets.ground import feature_pictures

lab.needs("7.1", "7.4", "7.6", "7.7", "7.8")
with torch.inference_mode():
    network = networks["fusion"]
    (of_camera, of_lidar), depth = network.features(one.to(P.device))
    fused = network.fuser(torch.cat([of_camera, of_lidar], 1))
    expected = (depth[0] * network.camera.depths[:, None, None]).sum(1).cpu()  # (M, h, w)
feature_pictures({"camera": of_camera[0].cpu(), "LiDAR": of_lidar[0].cpu(), "fused": fused[0].cpu()})
plt.show()
camera_strip(one, depth=expected)
plt.show()

# %% [markdown]
# The depths look right on the road and vague elsewhere. How much of that did the network learn from the LiDAR's points, and how much did it
# start with? Take pixels whose true depth is among the candidates: how far is the expected depth from the true one?

# %%
lab.needs("7.1", "7.4", "7.6", "7.7", "7.8")
few = test[:16]
true_depth = few.depth[:, :, ::2, ::2].float()  # (N, M, h, w), at the pixels of the feature map
near = true_depth < 22
road = networks["camera"].camera
with torch.inference_mode():
    guesses = {
        "flat road alone": road.as_flat_road(few.to(P.device)).softmax(2),
        "cameras": road.lift(few.to(P.device))[0],
        "fusion": networks["fusion"].camera.lift(few.to(P.device))[0],
    }
for name, weights_of in guesses.items():
    metres = (weights_of * road.depths[:, None, None]).sum(2).cpu()
    off = (metres - true_depth).abs()[near]
    print(
        f"{name:16} half of the pixels are off by more than {off.median():.2f} m, a tenth by {off.quantile(0.9):.1f} m"
    )

# %% [markdown]
# Now train fusion yourself, for a small part of the budget of the shipped networks. It starts from the two trained networks of
# one sensor each: their branches, and the LiDAR's decoder and heads. Two rivals have the same steps: the LiDAR's network, which is trained on, so
# that a gain cannot come from longer training alone, and a fusion from nothing.

# %% tags=["result"]
from efficientlab.models.streets.bevfusion import SENSORS, BEVFusion
from efficientlab.training.side_by_side import side_by_side
from efficientlab.training.streets.contestants import DROPOUT, joined
from efficientlab.training.streets.fit import fit, score, thresholds_of

torch.manual_seed(0)
trained = {  # network, learning rate
    "fusion, joined": (joined(load_contestant("camera"), load_contestant("lidar")), P.lr / 2),
    "LiDAR, trained on": (load_contestant("lidar"), P.lr / 2),
    "fusion from nothing": (BEVFusion(SENSORS, dropout=DROPOUT), P.lr),
}
runs = side_by_side(
    {
        name: partial(
            lambda bar, net, lr: fit(net, train, bar=bar, epochs=P.epochs, batch=P.batch, lr=lr),
            net=net.to(P.device),
            lr=lr,
        )
        for name, (net, lr) in trained.items()
    },
    steps=len(trained) * P.epochs * (P.train_streets // P.batch),
)
for name, run in runs.items():
    smooth = np.convolve(run.losses, np.ones(5) / 5, "valid")
    plt.plot(smooth, label=f"{name}, {run.cpu_seconds:.0f} s of a core")
plt.xlabel("step")
plt.ylabel("loss, mean of five steps")
plt.legend()
plt.show()
budget = (log["epochs of a single sensor"] + log["epochs then"]) * log["streets"]["train"]
print(
    f"{P.epochs} epochs of {P.train_streets} streets: {P.epochs * P.train_streets / budget:.0%} of what the shipped networks "
    f"had,\n{log['streets']['train']} streets for {log['epochs of a single sensor']} epochs as single sensors and "
    f"{log['epochs then']} then, on their own or joined"
)
after = {}
for name, (net, _) in trained.items():
    found = score(predict(net, test), test, thresholds_of(predict(net, val), val))
    after[name] = (found.mean_precision, found.mean_iou)
    print(f"{name:20} mAP {after[name][0]:5.1f}, mIoU {after[name][1]:5.1f}")
assert all(
    mine > other for mine, other in zip(after["fusion, joined"], after["fusion from nothing"], strict=True)
)

# %% [markdown]
# The loss of the LiDAR's network has no depth in it, so its level says nothing beside the others; the scores do.

# %% [markdown]
# ## 6 · Going further: how boxes are learnt and scored
#
# A box is learnt as a spot of heat at its centre (*Objects as Points*, [Zhou et al., 2019](https://arxiv.org/abs/1904.07850)).

# %% [markdown] exercise="7.10"
# Draw the heat. Around the centre's cell $(i, j)$ of a thing of class $k$ lies a bump
#
# $$ \exp\!\Big( -\frac{(x - i)^2 + (y - j)^2}{2 \sigma^2} \Big), \qquad \sigma = \frac{2 r + 1}{6}, $$
#
# on the square of $2 r + 1$ cells around it, clipped at the borders of the grid. Where bumps of a class meet, the **larger**
# value counts: every centre stays exactly 1.
#
# <details><summary>Hint 1 · nudge</summary>
#
# What would the sum of two bumps be at a centre?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# A loop over things is fine. `torch.arange(X)[:, None] - i` holds all distances along x.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `heat[k] = torch.maximum(heat[k], bump)`, with the bump set to 0 outside of its square.
# </details>


# %% exercise="7.10"
def heat_target(cell: Tensor, kind: Tensor, size: tuple[int, int, int], radius: int) -> Tensor:
    """Heat of every class around the centres of things.

    Shapes: cell (T, 2), i and j of each centre; kind (T,), its class; size is (classes, X, Y); returns (classes, X, Y).
    """
    ### BEGIN SOLUTION
    _, columns, rows = size
    heat = torch.zeros(size)
    sigma = (2 * radius + 1) / 6
    x, y = torch.arange(columns), torch.arange(rows)
    for (i, j), k in zip(cell.tolist(), kind.tolist(), strict=True):
        dx, dy = x[:, None] - i, y[None, :] - j  # (X, 1), (1, Y)
        near = (dx.abs() <= radius) & (dy.abs() <= radius)
        bump = torch.exp(-(dx**2 + dy**2) / (2 * sigma**2)) * near  # (X, Y)
        heat[k] = torch.maximum(heat[k], bump)
    return heat
    ### END SOLUTION


# %% check="7.10"
lab.check("7.10", heat_target)

# %% [markdown] exercise="7.11"
# Ten centres stand against thousands of cells. With $p$ the sigmoid of the logit and $t$ the heat, the *penalty-reduced
# focal loss* is
#
# $$ -\frac{1}{\max(1, \#\{t = 1\})} \sum \begin{cases} (1 - p)^2 \log p & t = 1 \\
# (1 - t)^4 \, p^2 \log (1 - p) & \text{else.} \end{cases} $$
#
# Easy cells weigh little, and so do neighbours of a centre. Use `F.logsigmoid`: the logarithm of a sigmoid that rounds to 0
# is infinite.
#
# <details><summary>Hint 1 · nudge</summary>
#
# What is $1 - \mathrm{sigmoid}(x)$ as a sigmoid?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Both branches everywhere, then `torch.where(heat == 1, …, …)`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# $\log(1 - p)$ is `F.logsigmoid(-logits)`.
# </details>


# %% exercise="7.11"
def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """Penalty-reduced focal loss, one number; logits and heat (N, classes, X, Y), heat exactly 1 at centres."""
    ### BEGIN SOLUTION
    p, centre = logits.sigmoid(), heat == 1
    found = -((1 - p) ** 2) * F.logsigmoid(logits)
    quiet = -((1 - heat) ** 4) * p**2 * F.logsigmoid(-logits)
    return torch.where(centre, found, quiet).sum() / centre.sum().clamp(min=1)
    ### END SOLUTION


# %% check="7.11"
lab.check("7.11", heat_loss)

# %% [markdown] exercise="7.12"
# And back: find the peaks. A cell is a peak of its class if none of its eight neighbours has more heat *of that class*.
# Return the `most` hottest peaks of all classes together, by falling heat, as rows of class, x and y. On the border the
# neighbours that do not exist have no heat.
#
# <details><summary>Hint 1 · nudge</summary>
#
# A peak equals the largest value of the 3×3 cells around it.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `F.max_pool2d` with stride 1 and padding 1; then `topk` over everything.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# A flat place is $(k X + x) Y + y$.
# </details>


# %% exercise="7.12"
def find_peaks(heat: Tensor, most: int) -> Tensor:
    """The hottest peaks: heat (K, X, Y), positive; returns int64 (most, 3) of class, x and y."""
    ### BEGIN SOLUTION
    around = F.max_pool2d(heat[None], 3, stride=1, padding=1)[0]  # (K, X, Y)
    place = torch.where(heat == around, heat, 0.0).flatten().topk(most).indices
    _, columns, rows = heat.shape
    return torch.stack([place // (columns * rows), place // rows % columns, place % rows], 1)
    ### END SOLUTION


# %% check="7.12"
lab.check("7.12", find_peaks)

# %% [markdown] exercise="7.13"
# And how good are boxes? **Average precision** as nuScenes defines it, of one class and one distance. Go through all
# predictions by falling score. Each takes the *nearest* truth of its own street that no other has taken, if it is **nearer**
# than `within` metres; then it is a hit. After each prediction, *precision* is the hits divided by the predictions so far,
# and *recall* the hits divided by all truths.
#
# Read precision at the recalls 0, 0.01, …, 1: between measured recalls along a straight line, before the first one the first
# precision, and 0 beyond the last. `np.interp(grid, recall, precision, right=0.0)` does just that. Of the values *above*
# recall 0.1, subtract 0.1, set what is negative to 0, take the mean and divide by 0.9. Without predictions it is 0.
#
# <details><summary>Hint 1 · nudge</summary>
#
# A truth that is taken, or stands in another street, is infinitely far.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# A loop over `score.argsort(descending=True).tolist()`, with a mask of the truths that are taken.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Entries 11 to 100 of the 101 lie above recall 0.1.
# </details>


# %% exercise="7.13"
def average_precision(found: Tensor, score: Tensor, truth: Tensor, within: float) -> float:
    """nuScenes' average precision of one class.

    Shapes: found (P, 3), the street, x and y of each prediction; score (P,); truth (T, 3), T > 0; within in metres.
    """
    ### BEGIN SOLUTION
    if len(found) == 0:
        return 0.0
    taken = torch.zeros(len(truth), dtype=torch.bool)
    hits = []
    for p in score.argsort(descending=True).tolist():
        distance = (truth[:, 1:] - found[p, 1:]).norm(dim=1)
        distance[taken | (truth[:, 0] != found[p, 0])] = torch.inf
        nearest = int(distance.argmin())
        hits.append(bool(distance[nearest] < within))
        taken[nearest] |= hits[-1]
    right = torch.tensor(hits).cumsum(0)
    precision, recall = right / torch.arange(1, len(hits) + 1), right / len(truth)
    read = np.interp(np.linspace(0, 1, 101), recall.numpy(), precision.numpy(), right=0.0)
    return float((read[11:] - 0.1).clip(min=0).mean() / 0.9)
    ### END SOLUTION


# %% check="7.13"
lab.check("7.13", average_precision)

# %% [markdown]
# The table of section 5 was computed by the library. Does your function give the same for fusion? To a hundredth: precision
# drops by steps, and where a recall lies on one of the 101 points, rounding decides which side of the step is read.

# %% tags=["nbval-check-output"]
lab.needs("7.1", "7.4", "7.6", "7.7", "7.8", "7.13")
found, true = predict(networks["fusion"], test).boxes, test.boxes


def placed(boxes, kind):
    """(n, 3): the street, x and y of the boxes of one class; and which they are."""
    mine = boxes.rows[:, 0] == kind
    return torch.cat([boxes.scene[mine, None], boxes.rows[mine, 1:3]], 1).double(), mine


ours = torch.zeros(len(CLASSES), len(DISTANCES), dtype=torch.float64)
for kind in range(len(CLASSES)):
    (places, mine), (truths, _) = placed(found, kind), placed(true, kind)
    for k, distance in enumerate(DISTANCES):
        ours[kind, k] = average_precision(places, found.rows[mine, 8].double(), truths, distance)
assert (ours - mean_average_precision(found, true, len(CLASSES))).abs().max() < 0.01
print("Your average precision is the library's, to a hundredth, for every class and distance.")

# %% [markdown]
# ## 7 · Going further: what breaks it
#
# Somebody hits the mount of the cameras, and nobody calibrates anew: all four are believed to look some degrees further left
# than they do, or to stand further ahead. In the picture, the LiDAR's points, bright ones near, lie beside the things that they
# were measured on; on the ground, paint lands beside where it is. Move the sliders.

# %%
from efficientlab.viz.streets.calibration import calibration_picture

lab.needs("7.1", "7.4", "7.6", "7.7", "7.8")


def out_of_place(degrees, metres):
    views = one.misplaced(degrees=degrees, metres=metres)
    maps = {name: said(predict(networks[name], views).map[0], SURE) for name in ("camera", "fusion")}
    return calibration_picture(views, {"truth": one.map[0], **maps})


explore(out_of_place, degrees=(5.0, 0.0, 1.0, 2.0, 3.0, 4.0), metres=(0.0, 0.25, 0.5, 1.0))

# %% [markdown]
# And over all test streets, with your functions and your scores:

# %% tags=["result"]
from efficientlab.viz.streets.ground import error_curves

lab.needs("7.1", "7.4", "7.6", "7.7", "7.8", "7.9")
curves = {}
for key, values in (("degrees", [0.0, 1.0, 2.5, 5.0]), ("metres", [0.0, 0.25, 0.5, 1.0])):
    each = {"lidar": [by_day["lidar"]] * len(values)}  # it needs no camera's matrices
    for name in ("camera", "fusion"):
        each[name] = [by_day[name]] + [
            scores_of(name, test.misplaced(**{key: value})) for value in values[1:]
        ]
    each = {name: each[name] for name in networks}
    curves[key] = (
        values,
        {name: [s[1] for s in found] for name, found in each.items()},
        {name: [s[0] for s in found] for name, found in each.items()},
    )
    print(f"{key:8}" + "".join(f"{value:14g}" for value in values) + "   (mAP | mIoU)")
    for name, found in each.items():
        print(f"{name:8}" + "".join(f"{s[0]:6.1f} | {s[1]:5.1f}" for s in found))
error_curves(curves)
plt.show()

# %% [markdown]
# The cameras' mAP bends upwards between half a metre and one. Why? Half a metre is one cell, one metre is two. Move the cameras' map by
# whole cells, and what the network finds in it back by as many: then nothing is out of place, and all that is left is *where on the
# grid* the decoder reads.

# %%
from efficientlab.models.streets.bevfusion import Outputs
from efficientlab.training.streets.decode import decode

lab.needs("7.1", "7.4", "7.6", "7.7", "7.8")
network, moved = networks["camera"], []
with torch.inference_mode():
    of_cameras = [network.features(test[i : i + 8].to(P.device))[0][0] for i in range(0, len(test), 8)]
    for steps in range(5):
        read = [network.decoder(network.fuser(x.roll(steps, 2))) for x in of_cameras]  # (8, C, X, Y) each
        heat, box, areas = network.head(torch.cat(read)).roll(-steps, 2).split(network.sizes, 1)
        boxes = decode(Outputs(heat, box, areas), network.grid).to("cpu")
        moved.append(100 * mean_average_precision(boxes, test.boxes, len(CLASSES)).mean().item())
print("mAP, moved by 0 to 4 cells and back: " + ", ".join(f"{value:.1f}" for value in moved))
assert min(moved[2], moved[4]) > max(moved[1], moved[3]) + 3

# %% [markdown]
# The decoder halves the resolution with a stride of 2. Moved by two cells, the map looks to it nearly as before; moved by one cell, it
# does not. So half a metre costs the cameras twice, for boxes lie beside their places and the decoder is out of step, and one metre
# costs them once.

# %% [markdown]
# Night, fewer beams and a lost sensor, in the mean of the log's seeds:

# %% tags=["result"]
conditions = ("day", "night", "4 beams", "3° off", "no camera", "no lidar")
print(f"{'mAP | mIoU':10}" + "".join(f"{condition:>15}" for condition in conditions))
for name in CONTESTANTS:
    cells_of = [
        f"{of_seeds(name, c, 'mAP').mean():7.1f} | {of_seeds(name, c, 'mIoU').mean():5.1f}"
        for c in (conditions if name == "fusion" else conditions[:4])
    ]
    print(f"{name:10}" + "".join(cells_of))
four = {name: of_seeds(name, "4 beams", "mIoU") for name in CONTESTANTS}
assert (map_day["lidar"] - four["lidar"]).min() > 10
assert (four["camera"] - four["fusion"]).mean() > 0
assert (of_seeds("fusion", "no lidar", "mIoU") - four["fusion"]).mean() > 5

# %% [markdown]
# Look at the column of 4 beams. Fusion's map is worse than the cameras' alone, and worse than its own without any LiDAR. Its
# boxes are still better with 4 beams than with none. In training it saw streets with all 24 beams, and some *without* a LiDAR; it
# never saw a few beams. What it takes them for, exercise 7.14 asks.
#
# Does it help to learn both tasks at once? The log also holds fusions for boxes alone and for the map alone, and one for both
# that was trained exactly as long as they were (half as long as the one above).

# %% tags=["result"]
print(f"{'':16}{'both heads':>11}{'alone':>8}{'both less alone, each seed':>34}")
lost = {}
for task, measure in (("boxes", "mAP"), ("map", "mIoU")):
    both, alone = (of_seeds(f"{kind}, 8 epochs", "day", measure) for kind in ("both tasks", f"{task} alone"))
    lost[task] = (both - alone).mean()
    each = " ".join(f"{difference:+6.1f}" for difference in both - alone)
    print(f"{task + ', ' + measure:16}{both.mean():11.1f}{alone.mean():8.1f}{each:>38}")
assert max(lost.values()) < 0

# %% [markdown]
# In the mean over seeds a network of one task is better at it than one of both, at boxes and at the map alike; at the map with
# every seed, at boxes with most. The authors [say the same](https://github.com/mit-han-lab/bevfusion/issues/263) of theirs.
# One body for two heads saves nearly half of the cost of two networks, and is not free in quality: the tasks ask different
# things of the same features, and their losses have to be weighed.
#
# What does it all cost? A street's MACs and bytes by stage, and the time of each as a share of the whole.

# %% tags=["result"]
from efficientlab.counters import count

lab.needs("7.1", "7.4", "7.6", "7.7", "7.8")
network, batch = load_contestant("fusion"), test[:4]
with torch.inference_mode():
    maps, _ = network.features(batch)
    side = torch.cat(maps, 1)
    stages = {
        "whole": lambda: network(batch),
        "camera branch": lambda: network.camera(batch),
        "LiDAR branch": lambda: network.lidar(batch.points),
        "fuser, decoder, heads": lambda: network.head(network.decoder(network.fuser(side))),
    }
    timing = compare(stages, "whole", rounds=10, timer=processor_time if P.device == "cpu" else None)
    print(f"{'per street':24}{'M MACs':>9}{'MB moved':>10}{'time, %':>9}")
    for name, stage in stages.items():
        cost = count(stage)
        print(
            f"{name:24}{cost.macs / 4e6:9.1f}{cost.bytes_moved / 4e6:10.2f}{100 * timing.ratio[name].value:9.0f}"
        )

# %% [markdown]
# The paper's network takes 253.2 G MACs and 119.2 ms a frame on an RTX 3090 (its table I), with six pictures of 256 × 704
# pixels, a Swin transformer for a backbone, ten sweeps of a LiDAR of 32 beams and a grid of 180 × 180 cells. Here are four
# pictures of 32 × 96, a handful of convolutions, one sweep of 24 beams and 64 × 64 cells, so hundreds of times fewer MACs are no
# merit. But look at the columns against each other: the LiDAR branch has a far greater share of the time than of the MACs. Sparse
# convolutions look up neighbours and gather rows; that is not in their MACs (lab 6).

# %% [markdown]
# **On real streets.** nuScenes has six cameras and a LiDAR of 32 beams. Its *mini* set has ten scenes. To run this section,
# accept its terms at [nuscenes.org](https://www.nuscenes.org), unpack v1.0-mini and the map expansion into one folder, set
# `EFFICIENTLAB_NUSCENES` to it, and start Jupyter with `EFFICIENTLAB_PROFILE=full`.

# %%
if P.name == "full":
    from efficientlab.datasets.streets import nuscenes

    root = os.environ.get("EFFICIENTLAB_NUSCENES", "nuscenes")
    grid = kernels.BEVGrid((-32.0, 32.0, 0.5), (-32.0, 32.0, 0.5), (-10.0, 10.0))
    real = nuscenes.nuscenes_views(root, "mini_train", grid=grid)
    torch.manual_seed(0)
    big = BEVFusion(grid=grid, classes=len(nuscenes.CLASSES), maps=len(nuscenes.MAPS), dropout=0.1).to(
        P.device
    )
    run = fit(big, real, epochs=P.epochs, batch=P.batch, lr=P.lr)
    print(f"loss {run.losses[0]:.2f} → {run.losses[-1]:.2f} on {len(real)} samples")
else:
    print("This section needs nuScenes and the profile `full`.")

# %% [markdown]
# ## 8 · Your turn to judge

# %% [markdown] exercise="7.14"
# Answer in a few sentences each, with numbers from this notebook:
#
# 1. Which sensor carries the boxes, which the map? Name the class of each task that shows it best. And name a class that both
#    sensors know by themselves: what does each of them see of it?
# 2. At night and with 4 beams: which network loses what? What do four beams look like to a network that knows 24 beams or none, and
#    how does that make the map worse than no LiDAR does?
# 3. How far may the cameras be turned, or moved, before fusion has lost half of what it has over the LiDAR's map? If it does
#    not lose it: what does the camera still know? How would a car notice, and what should it do?

# %% [markdown] answer="7.14"
# 1. The LiDAR carries the boxes: pedestrians and cyclists show it best, for they are small, their place has to be known to half
#    a metre, and the cameras know depth too badly; nothing about them is in colour alone. The cameras carry the map: crossings
#    and bicycle lanes are paint, and the LiDAR's IoU there is what the shape of a street gives away. What is drivable is
#    known to both: the LiDAR sees where the flat ground ends at a kerb, the cameras the colour of the road. Taxis need both: the LiDAR knows
#    where, the camera which. That fusion of seed 0 finds fewer of them than the cameras is an exception among the seeds of the log.
# 2. At night the cameras' map loses most; fusion's loses less, for the LiDAR measures the kerb as by day; the LiDAR loses
#    nothing. With 4 beams the LiDAR loses most of its boxes and of its map, the cameras nothing, and fusion much of both.
#    Four beams look like a street that a whole LiDAR has found nearly empty: a cell without a voxel has always meant "no kerb, no car
#    here", so fusion believes it against the cameras. With no LiDAR its features are zero everywhere, which training taught the network to
#    ignore. Training with fewer beams would teach it the rest.
# 3. Read off the curves, both for degrees and for metres: half of the distance between the two mIoU at no error. Neither the
#    largest turn nor the largest shift costs that much. Near the car a turn by some degrees moves paint by less than a cell or
#    by little more, for the displacement grows with distance; large areas overlap all the
#    same, thin dividers do not. A car would project LiDAR points into the pictures and watch whether edges of depth lie on
#    edges of colour, calibrate anew when they part, and drop the cameras until then: dropout makes that possible.
#
# === BEGIN MARK SCHEME ===
# 6 points. (1) 2 points: a class of each task with its numbers (1), a class that both know, and what each sees of it (1).
# (2) 2 points: both conditions with numbers (1), what the network takes few beams for (1); that it was not trained with them stands
# in the text and does not count. (3) 2 points: an error read off the curves, or the share that is left
# at the largest one (1), how to notice or what to do (1).
# === END MARK SCHEME ===

# %% [markdown]
# ## 9 · Kernel corner
#
# On a GPU, one program sums one interval: no two programs write to the same cell, so no atomic addition is needed.
#
# [Triton](https://triton-lang.org/main/getting-started/tutorials/01-vector-add.html) kernels are written in Python. Many
# copies of the function, *programs*, run at once. In program `(cell, block)` of a grid, `tl.program_id(0)` is cell and
# `tl.program_id(1)` is block. `tl.arange(0, BLOCK)` is a vector of numbers 0 … BLOCK − 1. `tl.load(pointer + offsets,
# mask=…, other=0.0)` reads a vector of numbers from memory, and gives 0.0 where the mask is false. Without a GPU, Triton's
# interpreter runs the same kernel in Python: slow, and exact.

# %% [markdown] exercise="7.15"
# Pool by intervals. The points are sorted by cell: those of cell $v$ are number `starts[v]` up to, not including,
# `starts[v + 1]`. Point $p$ has weight `depth[p]` and shows pixel `pixel[p]`, whose features are a row of `channels` numbers.
# Program `(cell, block)` adds up `BLOCK` numbers of these rows, beginning with number `block · BLOCK`, and **stores** them in
# row `cell` of `y`. A cell without points gets zeros. The last block of a row may be partly outside: mask loads and the store.
#
# <details><summary>Hint 1 · nudge</summary>
#
# A loop, `for p in range(start, end)`, may have borders that were loaded.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Begin with `tl.zeros((BLOCK,), tl.float32)`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Row `pixel` of the features begins at `features_ptr + pixel * channels`.
# </details>

# %% exercise="7.15"
from efficientlab.exercises.kernel_corner import tl, triton  # Triton itself, where it is installed


@triton.jit
def bev_pool_kernel(depth_ptr, features_ptr, pixel_ptr, starts_ptr, y_ptr, channels, BLOCK: tl.constexpr):
    """One program sums BLOCK channels of one cell's points."""
    ### BEGIN SOLUTION
    cell = tl.program_id(0)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = channel < channels
    total = tl.zeros((BLOCK,), tl.float32)
    for p in range(tl.load(starts_ptr + cell), tl.load(starts_ptr + cell + 1)):
        pixel = tl.load(pixel_ptr + p)
        row = tl.load(features_ptr + pixel * channels + channel, mask=inside, other=0.0)
        total += tl.load(depth_ptr + p) * row
    tl.store(y_ptr + cell * channels + channel, total, mask=inside)
    ### END SOLUTION


# %% check="7.15"
lab.check("7.15", bev_pool_kernel)

# %% [markdown]
# ## What you have passed

# %%
lab.summary()

# %% [markdown]
# ## What to take with you
#
# - A bird's-eye view is a common ground: each sensor is brought there by its own geometry, and what follows is one network.
# - Undo last things first: the augmentation of the picture, then the camera, then its mount.
# - Never make what you are about to sum. And sum intervals, not differences of long sums.
# - What depends on the rig alone is computed once; when the rig moves, it is wrong.
# - A sensor that half works can cost more than one that is missing: a network reads it as it was trained to.
# - Scores count over a whole split; thresholds come from validation.
#
# **Further reading.** [BEVFusion](https://arxiv.org/abs/2205.13542) · [another BEVFusion](https://arxiv.org/abs/2205.13790), of
# the same year, about a LiDAR that fails · [Lift, Splat, Shoot](https://arxiv.org/abs/2008.05711) ·
# [CenterPoint](https://arxiv.org/abs/2006.11275) · [BEVDepth](https://arxiv.org/abs/2206.10092) ·
# [nuScenes](https://arxiv.org/abs/1903.11027).
