# %% [markdown]
# # Lab 6 · Sparse voxels, whole streets
#
# A spinning LiDAR sees a street as some hundred thousand points, and all but a few of the voxels of that street are air. A
# dense grid, as in lab 5, pays for the air: with 32 voxels along 80 metres, each is wider than a car. In this lab you build the
# convolution that visits only the voxels that exist, **sparse convolution**, from the look-up of its neighbours to its
# gradient. Then you set a branch of single points beside the voxels, and have the **SPVConv** of
# [Tang et al., ECCV 2020](https://arxiv.org/abs/2007.16100).
#
# **What you will have at the end.** Three results that your own code produces:
#
# 1. On real scans: how many multiplications a sparse convolution does, how many it would do if all voxels existed, and
#    what happens to the active voxels if it is not *submanifold*.
# 2. A network of your blocks that labels every point of a street: cars, pedestrians, bollards. It beats the same network
#    without points, at a tenth more MACs, and a PVCNN of more than ten times its MACs.
# 3. Networks cut out of a larger one by a search of yours, and an honest look at what the search gained.
#
# **How to work.** Read, write the code of an exercise, run the check below it. Hints unfold. If you are stuck,
# go on: a later section that needs the missing piece says so. Sections 1 to 7 are the core of the lab: about 90 minutes up to
# the result of the experiment, and a quarter of an hour to write about it (6.10), without the exercises that are marked
# *further* (6.6, 6.7). Sections 8 to 12 go further, too: the gradient, the order of memory, the search, a Triton kernel. What goes further has points of its own, and you can do it in any order.
#
# | symbol | meaning |
# |---|---|
# | $P$ | points, of all clouds of a batch together |
# | $C$, $D$ | channels before and after a layer |
# | $V$ | occupied voxels: those that hold a point; a prime, as in $V'$, is for the output of a layer |
# | $K$ | offsets of a kernel: 27 for 3×3×3, 8 for 2×2×2; in the code of the experiments, `K` is the number of classes |
# | $s$ | the size of a voxel, in metres (6.1) or in voxels of stride 1: its *stride* |
# | pair | an input voxel and an output voxel that one offset brings together |
# | MAC | one multiplication and one addition (1 MAC = 2 FLOPs) |

# %% tags=["prelude"]
import os
from functools import partial
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab import kernels
from efficientlab.exercises.lab6 import lab
from efficientlab.exercises.profile import choose_profile
from efficientlab.kernels import SparseTensor

# %% [markdown]
# The numbers that set the size of the experiments stand here, once. `ci` is for a laptop's CPU, `colab` for one T4, and
# `full` reads SemanticKITTI, which you have to download (section 11).
# Set the environment variable `EFFICIENTLAB_PROFILE` before you start Jupyter to choose another one. In code, `P` is the
# chosen profile, and `P.points` is a number of it.

# %%
PROFILES = {
    "ci": {
        "device": "cpu",
        "workers": 2,  # training runs at a time, one core each
        "size": 0.4,  # of a voxel, in metres
        "points": 2048,  # kept of each scan
        "train_scans": 192,
        "val_scans": 16,
        "test_scans": 64,
        "epochs": 3,
        "batch": 2,
        "lr": 1e-2,
        "seeds": 1,
        "latency_scans": 4,
        "population": 6,
        "generations": 4,
        "searches": 2,
    },
    "colab": {
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "workers": 1,
        "size": 0.4,
        "points": 2048,
        "train_scans": 512,
        "val_scans": 32,
        "test_scans": 128,
        "epochs": 6,
        "batch": 4,
        "lr": 1e-2,
        "seeds": 3,
        "latency_scans": 16,
        "population": 8,
        "generations": 6,
        "searches": 3,
    },
}
PROFILES["full"] = PROFILES["colab"]  # and, in section 11, the real data set
P = choose_profile(PROFILES)
torch.set_num_threads(1)  # so that times do not depend on how many cores are idle

# %% [markdown]
# ## 1 · The problem: a street is mostly air
#
# The lab reads two kinds of scans. The first are **drawn streets**: roads, kerbs, buildings, cars, pedestrians, cyclists,
# bollards, and crates that are as large as a car. A simulated LiDAR turns in the middle of each, its beams hit what they hit, with an error of
# two centimetres, and some do not come back. The car that carries the sensor is pitched and rolled by an unknown few degrees, so
# that height alone does not tell the road from a pavement. Every point has a label, which is to be found.

# %%
import matplotlib.pyplot as plt

from efficientlab.datasets.streets.clouds import street_clouds
from efficientlab.datasets.streets.things import LABELS
from efficientlab.viz.points.clouds import show_turnable
from efficientlab.viz.streets.scans import labelled
from efficientlab.viz.style import use_style

use_style()
train, val, test = (
    street_clouds(split, scans, points=P.points)
    for split, scans in (("train", P.train_scans), ("val", P.val_scans), ("test", P.test_scans))
)
K = len(LABELS)
SMALL = [LABELS.index(name) for name in ("bollard", "pedestrian", "cyclist")]
share = torch.bincount(train.part.flatten(), minlength=K) / train.part.numel()
print(f"{len(train)} scans to learn from, {P.points:,} points each")
print(", ".join(f"{name} {part:.1%}" for name, part in zip(LABELS, share.tolist(), strict=True)))
labelled(test.points[0], {"a drawn street": test.part[0]}, LABELS)
plt.show()

# %% [markdown]
# In JupyterLab and in Colab you can turn this one with the mouse, and see what is what.

# %%
show_turnable(test.points[0], test.part[0], LABELS, "a drawn street")

# %% [markdown]
# The second are **real scans**: single turns of spinning LiDAR sensors (Ouster, Inc., BSD licence; `data/README.md`). They
# have no labels. You use them to count, to measure, and at the end to see what a network that learnt on drawn streets makes of them.

# %% tags=["nbval-check-output"]
from efficientlab.datasets.points.scans import load_scan, scan_names

scans = {name: torch.from_numpy(load_scan(name).points) for name in scan_names()}  # (P, 3), in metres
for name, points in scans.items():
    print(f"{name:10} {len(points):7,} points")

# %% [markdown]
# A batch holds several clouds. Here they are not stacked, for they have different numbers of points: all points stand in
# one table, and the first number of each row says which cloud it belongs to. The same for voxels: a voxel is a row
# $(b, x, y, z)$ of four integers.

# %% [markdown] exercise="6.1"
# Sort the points into voxels of `size` metres. Point $(b, x, y, z)$ lies in voxel
# $(b, \lfloor x / s \rfloor, \lfloor y / s \rfloor, \lfloor z / s \rfloor)$. Give
#
# - `coords`: the voxels that hold a point, each once, rows in ascending order (by $b$, then $x$, $y$, $z$);
# - `row`: for each point the row of its voxel in `coords`;
# - `mean`: for each voxel the mean feature of its points.
#
# $$ \mathrm{mean}_v = \frac{1}{|\{p : v(p) = v\}|} \sum_{p : v(p) = v} f_p $$
#
# Here $v(p)$ is the voxel of point $p$, and $f_p$ its feature. The mean has the type of the features, single or double precision: both occur in
# the check.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Half of a street has negative coordinates. What do `.long()` and `.floor()` make of −0.4?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `table.unique(dim=0, return_inverse=True)` gives the distinct rows, in ascending order, and for each row of the table which of them it is. The number
# of the cloud is not a length: it must not be divided.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `features.new_zeros(V, C).index_add(0, row, features)` adds up the features of each voxel; the same with ones counts.
# </details>


# %% exercise="6.1"
def voxelize(points: Tensor, features: Tensor, size: float) -> tuple[Tensor, Tensor, Tensor]:
    """The occupied voxels of a batch of clouds, the voxel of each point, and the mean feature of each voxel.

    Shapes: points (P, 4): the number of the cloud, and x, y, z in metres; features (P, C); size in metres.
    Returns coords (V, 4), int64, ascending; row (P,), int64; mean (V, C), of features' dtype, differentiable.
    """
    ### BEGIN SOLUTION
    cells = torch.cat([points[:, :1], points[:, 1:] / size], 1).floor().long()  # (P, 4)
    coords, row = cells.unique(dim=0, return_inverse=True)
    total = features.new_zeros(len(coords), features.shape[1]).index_add(0, row, features)
    count = features.new_zeros(len(coords)).index_add(0, row, torch.ones_like(features[:, 0]))
    return coords, row, total / count[:, None]
    ### END SOLUTION


# %% check="6.1"
lab.check("6.1", voxelize)

# %% [markdown]
# How empty is a street? The box around each scan, with voxels of 10 cm, and the voxels of it that hold a point:

# %% tags=["result"]
lab.needs("6.1")
NEAR = 50.0  # metres
voxels = {}
for name, points in scans.items():
    near = points[points.norm(dim=1) < NEAR]
    at = F.pad(near, (1, 0))  # (P, 4): all of cloud 0
    voxels[name] = voxelize(at, near, 0.1)[0]
    box = (voxels[name].amax(0) - voxels[name].amin(0) + 1)[1:].tolist()
    full = len(voxels[name]) / (box[0] * box[1] * box[2])
    print(
        f"{name:10} {box[0]:4} × {box[1]:4} × {box[2]:4} voxels, {len(voxels[name]):6,} of them occupied: {full:.3%}"
    )

# %% [markdown]
# ## 2 · Which voxels does a convolution write?
#
# A dense convolution writes everywhere. A sparse one has to choose. Look at ten voxels of a flat world first.
#
# - **Submanifold** (stride 1): write exactly the voxels that are occupied, in the same order. Each sums over its
#   *occupied* neighbours. Layer after layer, the same voxels.
# - **Strided** (kernel 2, stride 2): write the coarse voxels that hold a fine one.
# - **Generalised**: write every voxel that the kernel reaches from an occupied one. After one layer of 3×3×3 the set has grown.

# %%
from efficientlab.viz.streets.voxels import ten_voxels

ten_voxels()
plt.show()

# %% [markdown] exercise="6.2"
# Give the voxels that a strided convolution writes: for every occupied voxel the coarse voxel
# $(b, \lfloor x / s \rfloor, \lfloor y / s \rfloor, \lfloor z / s \rfloor)$, each once, in ascending order, *counted in
# coarse voxels*.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Voxel −1 lies in coarse voxel −1, not in 0.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `x.div(s, rounding_mode="floor")` divides integers and rounds down. The number of the cloud stays.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `coords.new_tensor([1, s, s, s])` divides all four columns at once. Then `unique`, as before.
# </details>


# %% exercise="6.2"
def downsample(coords: Tensor, stride: int) -> Tensor:
    """The coarse voxels that hold an occupied one; coords (V, 4) → (V', 4), integers, ascending."""
    ### BEGIN SOLUTION
    steps = coords.new_tensor([1, stride, stride, stride])
    return coords.div(steps, rounding_mode="floor").unique(dim=0)
    ### END SOLUTION


# %% check="6.2"
lab.check("6.2", downsample)

# %% [markdown]
# In a dense grid the neighbour of a voxel is found by arithmetic: so many numbers further. In a sparse one it has to be *looked up*.
# A Python dictionary is a hash table: it finds a key in constant time. The voxel is the key, and its row is the value.

# %% [markdown] exercise="6.3"
# Find the pairs of a convolution. With $\delta_k$ the $k$-th offset of the kernel, as `kernels.kernel_offsets(kernel_size)`
# lists them, triples of steps in $x, y, z$ ($z$ fastest; −1, 0, 1 for size 3, and 0, 1 for size 2), the pair $(i, o)$ belongs to offset $k$ if
#
# $$ \mathrm{coords}_i = \mathrm{out\_coords}_o \cdot s + \delta_k \quad\text{in } x, y, z, \text{ and both are of one cloud.} $$
#
# Give a list with one tensor $(M_k, 2)$ of integers for each offset, whose rows are $(i, o)$. A neighbour that is not occupied makes no
# pair.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Walk over the outputs, and ask for each offset whether there is an input.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `rows = {tuple(voxel): i for i, voxel in enumerate(coords.tolist())}`, and then `key in rows`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# The key is `(b, x * stride + dx, y * stride + dy, z * stride + dz)`. `torch.tensor(found, dtype=torch.int64).reshape(-1, 2)`
# has the right shape even when nothing was found.
# </details>


# %% exercise="6.3"
def kernel_map(coords: Tensor, out_coords: Tensor, kernel_size: int, stride: int) -> list[Tensor]:
    """For each of the K offsets its pairs (M_k, 2): a row of coords and a row of out_coords.

    Shapes: coords (V, 4) and out_coords (V', 4), integers: cloud, x, y, z; out_coords counted in strides.
    """
    ### BEGIN SOLUTION
    rows = {tuple(voxel): i for i, voxel in enumerate(coords.tolist())}
    pairs = []
    for dx, dy, dz in kernels.kernel_offsets(kernel_size):
        found = []
        for o, (b, x, y, z) in enumerate(out_coords.tolist()):
            key = (b, x * stride + dx, y * stride + dy, z * stride + dz)
            if key in rows:
                found.append((rows[key], o))
        pairs.append(torch.tensor(found, dtype=torch.int64).reshape(-1, 2))
    return pairs
    ### END SOLUTION


# %% check="6.3"
lab.check("6.3", kernel_map)

# %% [markdown]
# How many neighbours does a voxel of a street have? Of 27, itself included. The picture counts the pairs of each offset, for
# the three heights of the kernel. An offset and its opposite have equally many, for a pair that is read backwards is a pair of
# the other. Most frequent are the steps along one axis, and straight up or down before all: walls, poles and cars stand upright.

# %%
from efficientlab.viz.streets.voxels import pairs_per_offset

lab.needs("6.1", "6.3")
some = voxelize(F.pad(scans["street"], (1, 0)), scans["street"], 0.4)[0]
pairs = kernel_map(some, some, 3, 1)
print(f"{len(some):,} voxels of 40 cm, {sum(map(len, pairs)) / len(some):.1f} pairs a voxel")
pairs_per_offset([len(pair) for pair in pairs])
plt.show()
assert [len(p) for p in pairs] == list(kernels.kernel_map(some, some, 3).counts), (
    "the library counts otherwise"
)

# %% [markdown]
# ## 3 · Gather, multiply, scatter
#
# With the pairs, a convolution needs no grid at all:
#
# $$ y_o = \sum_{k=1}^{K} \; \sum_{(i, o) \in \text{pairs}_k} x_i \, W_k. $$

# %% [markdown] exercise="6.4"
# Write it. For each offset, *gather* the rows of its inputs, *multiply* them by its matrix, and *scatter*: add the products
# to the rows of its outputs.
#
# <details><summary>Hint 1 · nudge</summary>
#
# One matrix product for each offset, of $M_k$ rows.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `source, target = pair.T` takes a list of pairs apart.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `y = y.index_add(0, target, x[source] @ matrix)`, from `y = x.new_zeros(outputs, D)` on.
# </details>


# %% exercise="6.4"
def sparse_conv(x: Tensor, weight: Tensor, pairs: list[Tensor], outputs: int) -> Tensor:
    """Convolve the features of occupied voxels.

    Shapes: x (V, C); weight (K, C, D); pairs: K tensors (M_k, 2) of rows of x and rows of the result; returns
    (outputs, D), differentiable in x and weight.
    """
    ### BEGIN SOLUTION
    y = x.new_zeros(outputs, weight.shape[2])
    for matrix, pair in zip(weight, pairs, strict=True):
        source, target = pair.T
        y = y.index_add(0, target, x[source] @ matrix)
    return y
    ### END SOLUTION


# %% check="6.4"
lab.check("6.4", sparse_conv)

# %% [markdown]
# Is this a convolution? Put the voxels into a dense grid of zeros, let `conv3d` run over it, and read its answer at the occupied
# voxels. The weights are random, so nothing symmetric hides a mirrored kernel. And how much faster is the same sum in
# `efficientlab.kernels`, which works block by block? Both are given their pairs, so no look-up is timed.

# %%
from efficientlab.counters import compare, processor_time

lab.needs("6.1", "6.3", "6.4")
torch.manual_seed(0)
few = some[:400] - some[:400].amin(0)  # a corner of the street, from voxel 0 on
x, weight = torch.randn(len(few), 4), torch.randn(27, 4, 8)
mine = sparse_conv(x, weight, kernel_map(few, few, 3, 1), len(few))
shape = (few.amax(0) + 1).tolist()
grid = F.conv3d(
    kernels.sparse_to_dense(few, x, shape), weight.unflatten(0, (3, 3, 3)).permute(4, 3, 0, 1, 2), padding=1
)
b, i, j, k = few.T
assert torch.allclose(mine, grid[b, :, i, j, k], atol=1e-4), "equal to conv3d where there are voxels"

x, weight = torch.randn(len(some), 16), torch.randn(27, 16, 16)
known = kernels.kernel_map(some, some, 3)
assert torch.allclose(
    sparse_conv(x, weight, pairs, len(some)), kernels.sparse_conv(x, weight, known), atol=1e-3
)
print(
    compare(
        {
            "sparse_conv, yours": partial(sparse_conv, x, weight, pairs, len(some)),
            "sparse_conv, kernels": partial(kernels.sparse_conv, x, weight, known),
        },
        baseline="sparse_conv, yours",
        rounds=15,
        timer=processor_time,
    )
)

# %% [markdown]
# ## 4 · What it saves

# %% [markdown] exercise="6.5"
# Predict the cost of a layer from its pairs: a dictionary with these four integers.
#
# - `"sparse MACs"`: one row times one matrix for each pair;
# - `"full MACs"`: if all $K$ neighbours of every occupied voxel existed;
# - `"dense MACs"`: if all voxels of the box existed and were written, each with $K$ neighbours (at the rim, those are the padding's zeros);
# - `"moved bytes"`: for each pair a row is gathered and a row is added to, in single precision, four bytes a number, each counted once.
#
# <details><summary>Hint 1 · nudge</summary>
#
# A row of $C$ numbers times a matrix $C \times D$ takes $C \cdot D$ MACs.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# $K$ is the length of `counts`, which holds the number of pairs of each offset.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# A pair gathers $C$ numbers and adds to $D$ numbers.
# </details>


# %% exercise="6.5"
def conv_costs(
    counts: list[int], voxels: int, box: tuple[int, int, int], in_channels: int, out_channels: int
) -> dict[str, int]:
    """MACs and bytes of one sparse convolution, and of what it replaces.

    counts: pairs of each of the K offsets; voxels: V, occupied; box: voxels along x, y and z around them.
    """
    ### BEGIN SOLUTION
    product = in_channels * out_channels
    return {
        "sparse MACs": sum(counts) * product,
        "full MACs": voxels * len(counts) * product,
        "dense MACs": box[0] * box[1] * box[2] * len(counts) * product,
        "moved bytes": 4 * sum(counts) * (in_channels + out_channels),
    }
    ### END SOLUTION


# %% check="6.5"
lab.check("6.5", conv_costs)

# %% [markdown]
# What do you expect for the street at 10 cm? How many of 27 neighbours does a voxel
# have, itself included? How many times as many voxels are there after three layers that are *not* submanifold? How many of the
# eight voxels around a point are occupied? Write a number in place of each `None`, before you run the cell behind it. The lab
# keeps your numbers and sets the measurement beside them.

# %% tags=["guess"]
guess = {
    "neighbours of 27": 9,  # your guess
    "growth after 3 layers": 10,
    "corners of 8": 6,
}
lab.lock("the street at 10 cm", guess)

# %% tags=["result"]
from efficientlab.counters import count
from efficientlab.viz.comparison import predicted_against_measured

lab.needs("6.1", "6.5")


def neighbourhood(coords):
    """Pairs of each offset of a submanifold 3×3×3 convolution, by the library: yours finds the same, more slowly."""
    return kernels.kernel_map(coords, coords, 3).counts


print(f"{'3×3×3, 32 → 32 channels':24}{'pairs a voxel':>14}{'G MACs':>9}{'all 27':>9}{'dense':>12}")
for name, coords in voxels.items():
    box = tuple((coords.amax(0) - coords.amin(0) + 1)[1:].tolist())
    counts = neighbourhood(coords)
    cost = conv_costs(list(counts), len(coords), box, 32, 32)
    layer = partial(kernels.sparse_conv, pairs=kernels.kernel_map(coords, coords, 3))
    counted = count(layer, torch.zeros(len(coords), 32), torch.zeros(27, 32, 32)).macs
    assert counted == cost["sparse MACs"], f"the counter says {counted:,}"
    print(
        f"{name:24}{sum(counts) / len(coords):14.1f}{cost['sparse MACs'] / 1e9:9.2f}"
        f"{cost['full MACs'] / 1e9:9.2f}{cost['dense MACs'] / 1e9:12,.0f}"
    )
    assert 2 < cost["full MACs"] / cost["sparse MACs"] < 12 and cost["dense MACs"] > 100 * cost["sparse MACs"]

street = voxels["street"]
grown, sizes = street, [len(street)]
for _ in range(3):
    grown = kernels.reached_voxels(grown, 3)
    sizes.append(len(grown))
print("active voxels after 0, 1, 2, 3 layers that are not submanifold: " + ", ".join(f"{s:,}" for s in sizes))

near = scans["street"][scans["street"].norm(dim=1) < NEAR] / 0.1  # in voxels
low = near.floor()
steps = torch.tensor(list(product((0, 1), repeat=3)))  # (8, 3)
around = F.pad((low[:, None] + steps).flatten(0, 1).int(), (1, 0))  # (P · 8, 4)
there = (kernels.find_voxels(street, around) >= 0).view(-1, 8)
above = (near - low)[:, None]
share = torch.where(steps.bool(), above, 1 - above).prod(2)  # (P, 8), the trilinear weights
present = (share * there).sum(1).mean().item()
print(
    f"corners occupied: {there.sum(1).double().mean():.1f} of 8; of the trilinear weight {present:.0%} is there"
)
measured = {
    "neighbours of 27": sum(neighbourhood(street)) / len(street),
    "growth after 3 layers": sizes[3] / sizes[0],
    "corners of 8": there.sum(1).double().mean().item(),
}
predicted_against_measured(guess, measured, "times, or of 8 or 27")
plt.show()
assert measured["growth after 3 layers"] > 20 and present < 0.6

# %% [markdown]
# Three lessons. A count of $27 \cdot V \cdot C \cdot D$ overstates sparse convolution severalfold, so a saving that is computed from it
# is not one. A convolution that writes all that it reaches is not dense at once, the box is far too large for that; but its voxels, and
# with them its cost, grow by an order of magnitude within three layers, and further with each one. This is why networks use the submanifold
# one at stride 1. And of the eight voxels around a point, most are missing: whoever interpolates has to say what becomes of their weight (section 6).
#
# ## 5 · Down and up again
#
# A U-Net halves the resolution twice and comes back, so that a voxel sees its surroundings. The way down writes the coarse
# voxels (6.2). The way up must end on *exactly* the fine voxels of before, in their order. Then features from before, the
# *skip*, can be set beside it row by row. New coordinates would fit in shape, and mean other voxels.
#
# The map for it is already there: the pairs of the strided convolution, read from the coarse end.

# %% [markdown] exercise="6.6"
# *Further: section 7 runs without this exercise.* Write the way up. `pairs` is the map of the convolution that went *down*: fine rows first, coarse rows second. With the
# ends exchanged,
#
# $$ u_i = \sum_k \sum_{(i, o) \in \text{pairs}_k} x_o \, W_k, $$
#
# and the result is $[u, \mathrm{skip}]$, side by side, $u$ first.
#
# <details><summary>Hint 1 · nudge</summary>
#
# It is the sum of 6.4. Which end is gathered now, and how many rows does the result have?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `pair.flip(1)` exchanges the ends.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `torch.cat([u, skip], 1)`, with `len(skip)` rows.
# </details>


# %% exercise="6.6"
def up_and_join(x: Tensor, skip: Tensor, weight: Tensor, pairs: list[Tensor]) -> Tensor:
    """A transposed convolution back to the voxels of the skip, with the skip beside it.

    Shapes: x (V', C), coarse; skip (V, S), fine; weight (K, C, D); pairs: K tensors (M_k, 2), fine row and coarse row;
    returns (V, D + S).
    """
    ### BEGIN SOLUTION
    u = x.new_zeros(len(skip), weight.shape[2])
    for matrix, pair in zip(weight, pairs, strict=True):
        fine, coarse = pair.T
        u = u.index_add(0, fine, x[coarse] @ matrix)
    return torch.cat([u, skip], 1)  # (V, D + S)
    ### END SOLUTION


# %% check="6.6"
lab.check("6.6", up_and_join)

# %% [markdown]
# In the library, a `SparseTensor` holds coordinates and features, and keeps the maps: `x.conv(weight, 2, 2)` goes down, and
# `y.conv_transposed(weight, to=x)` comes back over the map that it kept. A layer down and its way back are *transposes*: with the matrices transposed, too,
# $\langle A x, y \rangle = \langle x, A^{\!\top} y \rangle$ for all $x$ and $y$. One number says whether pairs, strides and order are right:

# %%
lab.needs("6.1", "6.3", "6.6")
torch.manual_seed(0)
fine = SparseTensor(some.int(), torch.randn(len(some), 3, dtype=torch.float64))
weight = torch.randn(8, 3, 5, dtype=torch.float64)
down = fine.conv(weight, 2, 2)  # (V', 5)
y = torch.randn_like(down.features)
table = kernels.kernel_map(fine.coords, down.coords, 2, 2)
ends = torch.stack([table.source, table.target], 1).long().split(table.counts)
back = up_and_join(y, fine.features[:, :0], weight.mT, list(ends))  # without a skip
left, right = (down.features * y).sum(), (fine.features * back).sum()
print(
    f"{len(some):,} voxels → {len(down.coords):,} → {len(back):,}; ⟨Ax, y⟩ = {left:.6f}, ⟨x, Aᵀy⟩ = {right:.6f}"
)
assert torch.allclose(left, right)

# %% [markdown]
# ## 6 · Points beside voxels
#
# A voxel of 40 cm may hold a piece of a bollard together with a piece of the pavement. It knows both by their mean, and gives both one
# answer. Smaller voxels hold less together, but a network sees less far with the same layers, and pays more. **SPVConv** keeps the voxels coarse, and
# adds a branch in which each point stands for itself:
#
# $$ z' = \underbrace{\mathrm{voxel\_to\_point}(\mathrm{conv}(x))}_{\text{neighbours}} + \underbrace{\mathrm{mlp}(z)}_{\text{detail}},
# \qquad x' = \mathrm{point\_to\_voxel}(z'). $$
#
# Here $x$ are the features of voxels and $z$ those of points. As in lab 5, but the grid is sparse. So both ends need a look-up, and have to say what happens where nothing is found.
# `kernels.find_voxels(coords, wanted)` gives for each wanted voxel its row in `coords`, and −1 where it is not occupied.

# %% [markdown] exercise="6.7"
# *Further: section 7 runs without this exercise.* Average the points' features in *given* voxels of stride $s$: voxel $v$ holds the points with
# $\lfloor p / s \rfloor = v$, and $b$ stays $b$. Points that lie in none of the given voxels are left out. A voxel without points is 0.
#
# Behind the features stands the table whose rows they have, then the one for whose rows they are wanted: here `points`, then
# `coords`; in 6.8 `coords`, then `points`.
#
# <details><summary>Hint 1 · nudge</summary>
#
# In PyTorch, row −1 is the last row. What must not happen to points without a voxel?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Choose the points with `row >= 0` first, and sum those alone.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# The result has `len(coords)` rows whatever the points are, and `count.clamp_min(1)` spares you a division by 0.
# </details>


# %% exercise="6.7"
def point_to_voxel(features: Tensor, points: Tensor, coords: Tensor, stride: int) -> Tensor:
    """The mean feature of the points in each of the given voxels.

    Shapes: features (P, C); points (P, 4): the cloud, and x, y, z in voxels of stride 1; coords (V, 4), int32, counted
    in strides; returns (V, C), differentiable in features.
    """
    ### BEGIN SOLUTION
    cells = (points / points.new_tensor([1, stride, stride, stride])).floor().int()
    row = kernels.find_voxels(coords, cells).long()  # (P,)
    known = row >= 0
    row, features = row[known], features[known]
    total = features.new_zeros(len(coords), features.shape[1]).index_add(0, row, features)
    count = features.new_zeros(len(coords)).index_add(0, row, torch.ones_like(features[:, 0]))
    return total / count.clamp_min(1)[:, None]
    ### END SOLUTION


# %% check="6.7"
lab.check("6.7", point_to_voxel)

# %% [markdown] exercise="6.8"
# Interpolate the voxels at the points. Let $g = p / s$ in $x, y, z$, and $l = \lfloor g \rfloor$. The eight corners around it are
# $l + a$ with $a \in \{0, 1\}^3$, and their weights are trilinear,
# $w_a = \prod_{d} \big(1 - |g_d - l_d - a_d|\big)$. Corners that are not occupied have no say, and the others share their weight:
#
# $$ f_p = \frac{\sum_{a \text{ occupied}} w_a \, x_{l + a}}{\sum_{a \text{ occupied}} w_a + 10^{-8}}. $$
#
# A point without any occupied corner gets 0, which the $10^{-8}$ sees to, and a gradient of 0 rather than nan.
#
# Voxel $i$ carries its value *at* $i$, which is its lower corner, for this lab takes the floor. (Lab 5 rounds: there $i$ is the
# middle.) So the voxel that a point lies in is one corner of eight, and has an eighth of the weight on average.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Row −1 is a row like any other: in PyTorch it is the last. Out of which two sums must a missing corner be kept?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# A loop over `product((0, 1), repeat=3)`: look up, weigh, add to the sum of features and to the sum of weights.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `weight * (row >= 0)` takes away the say of a missing corner, and `features[row.clamp_min(0)]` reads any row in its place.
# </details>


# %% exercise="6.8"
def voxel_to_point(features: Tensor, coords: Tensor, points: Tensor, stride: int) -> Tensor:
    """Interpolate the features of occupied voxels at the points.

    Shapes: features (V, C); coords (V, 4), int32, counted in strides; points (P, 4): the cloud, and x, y, z in voxels
    of stride 1; returns (P, C), differentiable in features.
    """
    ### BEGIN SOLUTION
    at = points / points.new_tensor([1, stride, stride, stride])
    low = at.floor()
    above = (at - low)[:, 1:]  # (P, 3), the weights of the upper corners
    total, weights = 0, 0
    for corner in product((0, 1), repeat=3):
        step = low.new_tensor([0, *corner])
        row = kernels.find_voxels(coords, (low + step).int()).long()  # (P,)
        weight = torch.where(step[1:] == 1, above, 1 - above).prod(1) * (row >= 0)
        total = total + weight[:, None] * features[row.clamp_min(0)]  # (P, C)
        weights = weights + weight
    return total / (weights[:, None] + 1e-8)
    ### END SOLUTION


# %% check="6.8"
lab.check("6.8", voxel_to_point)

# %% [markdown] exercise="6.9"
# Write the block. It has two parts, and you need to give them these names, so that weights can be loaded:
#
# - `self.voxel_layers`: what it is given, a module that takes a `SparseTensor`, and perhaps skips, to a `SparseTensor` of
#   `out_channels`, whose voxels are `stride` times as large as those of stride 1;
# - `self.point_layers`: an `nn.Sequential` of `nn.Linear` without bias, `nn.BatchNorm1d` and `nn.ReLU`.
#
# `x` is a `SparseTensor`: it has `x.coords` and `x.features`, and `x.replace(features)` gives the same voxels other features. Use
# `kernels.voxel_to_point(features, coords, at)` and `kernels.point_to_voxel(features, at, coords)`. They take no stride:
# `at` are points in voxels of `x`.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Four steps: convolve, interpolate, add, refresh. Whose features does the refresh average, and whose does it replace?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `at = points / points.new_tensor([1, s, s, s])` serves both ends.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `return x.replace(kernels.point_to_voxel(z, at, x.coords)), z`, with the new `z` in both places.
# </details>


# %% exercise="6.9"
class SPVConv(nn.Module):
    """Sparse point-voxel convolution: neighbours from voxels, detail from points, and the voxels refreshed from both.

    Shapes: x of V voxels; z (P, C_in); points (P, 4), in voxels of stride 1; skips for the voxel branch
    → x' of V' voxels with C_out channels, z' (P, C_out).
    """

    def __init__(self, voxel_layers: nn.Module, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.voxel_layers = voxel_layers
        self.point_layers = nn.Sequential(
            nn.Linear(in_channels, out_channels, bias=False), nn.BatchNorm1d(out_channels), nn.ReLU()
        )
        self.stride = stride
        ### END SOLUTION

    def forward(
        self, x: SparseTensor, z: Tensor, points: Tensor, *skips: SparseTensor
    ) -> tuple[SparseTensor, Tensor]:
        ### BEGIN SOLUTION
        x = self.voxel_layers(x, *skips)  # (V', C_out)
        at = points / points.new_tensor([1, self.stride, self.stride, self.stride])
        z = kernels.voxel_to_point(x.features, x.coords, at) + self.point_layers(z)  # (P, C_out)
        return x.replace(kernels.point_to_voxel(z, at, x.coords)), z
        ### END SOLUTION


# %% check="6.9"
lab.check("6.9", SPVConv)

# %% [markdown]
# ## 7 · The experiment
#
# What can voxels of a given size know at all? Suppose a network gave every *voxel* the label that most of its points have. No
# labelling of voxels has more points right. (For mIoU, in which rare classes weigh more, it need not be the best.) Move the slider: smaller voxels keep more, and cost more.

# %%
from efficientlab.viz.explore import explore
from efficientlab.viz.streets.voxels import voxel_size

explore(partial(voxel_size, test.points[0], test.part[0], K), size=(0.4, 0.1, 0.2, 0.8, 1.6))

# %% [markdown]
# The contestants:
#
# | contestant | what it is |
# |---|---|
# | SPVCNN | a sparse U-Net of three levels with your SPVConv after the stem, at the bottom and at the top |
# | without points | the same U-Net alone: every point takes the answer of its voxel |
# | PVCNN R32, R16 | lab 5's dense network on 32³ and 16³ voxels: the street's 80 metres in 32 steps |
#
# All see the same scans for the same number of steps with the same optimiser. The score is **mIoU**: for each class, *intersection over union*
# of all points of the whole test split together, then the mean over the classes. A mean of scans' IoUs would be another
# number, and a class that does not occur must count neither as 1 nor as 0.

# %%
from efficientlab.counters import measure
from efficientlab.models.points.pvcnn import PVCNN
from efficientlab.models.streets.sparse_unet import SparseUNet, Widths
from efficientlab.models.streets.spvcnn import SPVCNN
from efficientlab.training.kept import kept
from efficientlab.training.points.segment import fit_all, predict
from efficientlab.training.streets.miou import class_score, voxel_oracle

lab.needs("6.9")
CONTESTANTS = {
    "SPVCNN": lambda: SPVCNN(3, K, P.size, block=SPVConv),
    "without points": lambda: SparseUNet(3, K, P.size),
    "PVCNN R32": lambda: PVCNN(3, K, width=0.1875),
    "PVCNN R16": lambda: PVCNN(3, K, width=0.1875, resolution=0.5),
}
one = test[:1]
costs = {
    name: measure(make().eval(), one.features, one.points, time=False) for name, make in CONTESTANTS.items()
}
batch = test[: P.latency_scans].to(P.device)
networks = {name: make().eval().to(P.device) for name, make in CONTESTANTS.items()}
with torch.inference_mode():
    timing = compare(
        {name: partial(net, batch.features, batch.points) for name, net in networks.items()},
        "SPVCNN",
        rounds=20,
        timer=processor_time if P.device == "cpu" else None,
    )
print(timing)

# %% [markdown]
# Now train them, `P.workers` at a time, one core each: some minutes. The trained networks are kept on disk. When you restart
# the notebook, they are used again, unless an answer or a number that they came from has changed.

# %%
lab.needs("6.9")
models, seeds = {}, {}
for name, make in CONTESTANTS.items():
    for seed in range(P.seeds):
        torch.manual_seed(seed)  # of the initial weights
        models[name, seed] = make().to(P.device)
        seeds[name, seed] = seed
runs = kept(
    f"{lab.slug}-{P.name}",
    models,
    lambda: fit_all(models, train, seeds=seeds, workers=P.workers, epochs=P.epochs, batch=P.batch, lr=P.lr),
    code=CONTESTANTS,
    settings=vars(P),
)
print(f"{len(runs)} runs, {sum(run.cpu_seconds for run in runs.values()) / 60:.1f} minutes of processor time")
answers = {key: predict(net, test) for key, net in models.items()}
result = {key: class_score(answer, test.part, K) for key, answer in answers.items()}

# %% tags=["result"]
lab.needs("6.9")


def mean(values):
    return sum(values) / len(values)


def over_seeds(name, classes=None):
    """Test mIoU in percent, of all or of some classes, one number a seed."""
    found = [result[key] for key in models if key[0] == name]
    return [100 * (score.miou if classes is None else score.mean_of(classes)) for score in found]


miou = {name: mean(over_seeds(name)) for name in CONTESTANTS}
small = {name: mean(over_seeds(name, SMALL)) for name in CONTESTANTS}
print(f"{'':16}{'mIoU [lowest, highest]':>22}{'small':>7}{'M MACs':>8}{'peak MB':>9}{'params':>9}{'time':>6}")
for name, cost in costs.items():
    values = over_seeds(name)
    spread = f"{mean(values):.1f} [{min(values):.1f}, {max(values):.1f}]"
    print(
        f"{name:16}{spread:>22}{small[name]:7.1f}{cost.macs / 1e6:8.1f}"
        f"{cost.peak_activation_bytes / 1e6:9.2f}{cost.params:9,}{timing.ratio[name].value:6.2f}"
    )
print(f"\n{'IoU by class':16}" + "".join(f"{name[:9]:>10}" for name in LABELS))
for name in CONTESTANTS:
    by_class = torch.stack([result[key].iou for key in models if key[0] == name]).mean(0)
    print(f"{name:16}" + "".join(f"{100 * iou:10.1f}" for iou in by_class.tolist()))

# %% [markdown]
# Before you read on: which of the claims at the top do these numbers support? Here they are as assertions.
#
# One seed is one draw: trained from other weights, the same network can score points higher or lower. `python
# benchmarks/lab_seeds.py 6` repeats this section with five seeds (`benchmarks/results/lab6-seeds.json`), and asserts the
# margins that three and more seeds can show.

# %% tags=["nbval-check-output"]
lab.needs("6.9")
above_all, above_small, above_dense = (5, 3, 10) if P.seeds >= 3 else (3, 1, 5)
gap = miou["SPVCNN"] - miou["without points"]
assert gap > above_all, f"{gap:.1f} points above the network without points"
gap = small["SPVCNN"] - small["without points"]
assert gap > above_small, f"{gap:.1f} points above it on small classes"
assert costs["SPVCNN"].macs <= 1.1 * costs["without points"].macs
gap = miou["SPVCNN"] - miou["PVCNN R32"]
assert gap > above_dense, f"{gap:.1f} points above PVCNN on 32³ voxels"
assert costs["PVCNN R32"].macs > 10 * costs["SPVCNN"].macs
assert costs["PVCNN R32"].peak_activation_bytes == costs["PVCNN R16"].peak_activation_bytes
print(
    f"The points bring more than {above_all} points of mIoU, and more than {above_small} on small classes, at most 10 % of MACs."
)
print(f"PVCNN on 32³ voxels is more than {above_dense} points below, at more than ten times the MACs.")

# %% [markdown]
# **Is one learning rate fair?** What suits one network may starve another. So each contestant was also trained at half, twice
# and four times the rate, and scored on the validation split. These runs take longer than this notebook has, so they are
# recorded: `python benchmarks/lab_rates.py 6` makes them again.

# %%
from efficientlab.training.recorded import show_rates

lab.needs("6.9")
rates = show_rates(6, "mIoU on validation", CONTESTANTS)
if rates:  # a copy without the repository lacks them
    best = {name: max(scores.values()) for name, scores in rates.items()}
    assert best["SPVCNN"] > best["without points"] + 5 and best["SPVCNN"] > best["PVCNN R32"] + 10
    assert min(rates["SPVCNN"].values()) > best["without points"], "at its worst rate, too"

# %% [markdown]
# One rate is fair enough: with the best of the four for each, both gaps stay above what is claimed for several seeds, and at its
# worst rate SPVCNN is still better than any other at its best.
#
# What do these numbers not show? Time. SPVCNN has a tenth of the MACs of PVCNN on 32³ voxels, and by no means a tenth of its time: a dense convolution
# is what processors do best, and a sparse one looks up, gathers and scatters. The point branch has hardly any MACs and
# still takes time: every point has eight corners to find and to read. And PVCNN on 16³ voxels is the fastest of all.
#
# Nor does the column of peak memory compare grids. PVCNN has the same peak at R32 and at R16, so its grid does not set it. The
# peak lies behind the blocks, where PVCNN makes the most channels of every point, before the maximum over the cloud. It says what
# these networks need as they are built, and not what dense voxels cost.

# %% tags=["cover"]
from efficientlab.viz.comparison import quality_against_cost

lab.needs("6.9")
quality_against_cost(
    {name: over_seeds(name) for name in CONTESTANTS},
    {
        "million MACs a scan": {name: cost.macs / 1e6 for name, cost in costs.items()},
        "time, in SPVCNN's": {name: timing.ratio[name].value for name in CONTESTANTS},
        "peak of activations, MB a scan": {
            name: cost.peak_activation_bytes / 1e6 for name, cost in costs.items()
        },
    },
    "mIoU (%)",
)
plt.show()

# %% [markdown]
# Where are they wrong? A street as each of them labels it, and below in red what is wrong. Count the red points, and you see little of
# the lead, in a single scan perhaps nothing: most points are road and building, which all of them know. mIoU counts a class with few points as much as one with many.

# %%
lab.needs("6.9")
print("points right: " + ", ".join(f"{name} {result[name, 0].accuracy:.1%}" for name in CONTESTANTS))
shown = {name: answers[name, 0][1] for name in ("SPVCNN", "without points", "PVCNN R32")}
truth = test.part[1]
labelled(test.points[1], {"truth": truth, **shown}, LABELS, truth=truth)
plt.show()

# %%
from efficientlab.viz.points.grids import part_bars

lab.needs("6.9")
part_bars({name: result[name, 0].iou.tolist() for name in CONTESTANTS}, LABELS)
plt.show()

# %% [markdown]
# Could smaller voxels have done it alone? The oracle's mIoU over the test split says what a size of voxels *could* reach, were its network perfect.

# %% tags=["result"]
lab.needs("6.9")
print("size of voxels    oracle mIoU   small classes   voxels a scan")
for size in (0.1, 0.2, 0.4, 0.8, 1.6):
    bound = class_score(voxel_oracle(test.points, test.part, size), test.part, K)
    cells = F.pad(test.points.mT.flatten(0, 1) / size, (1, 0))
    cells[:, 0] = torch.arange(len(test)).repeat_interleave(P.points)
    held = len(kernels.occupied_voxels(cells)) / len(test)
    print(f"{size:11.1f} m {bound.miou:14.1%} {bound.mean_of(SMALL):15.1%} {held:15,.0f}")
print(
    f"reached at {P.size} m: without points {miou['without points']:.1f}, with points {miou['SPVCNN']:.1f} %"
)

# %% [markdown]
# The oracle is far above what the network without points reaches. So what it loses is *not* mainly that a voxel holds two things. Then
# does the branch win by telling the points of one voxel apart? Let them agree: give all of them SPVCNN's most frequent answer.

# %%
lab.needs("6.9")
agreed = voxel_oracle(test.points, answers["SPVCNN", 0], P.size)  # (N, P), one answer a voxel
one_answer = 100 * class_score(agreed, test.part, K).miou
with_points, without = (100 * result[name, 0].miou for name in ("SPVCNN", "without points"))
print(
    f"mIoU: SPVCNN {with_points:.1f}, with one answer a voxel {one_answer:.1f}, without points {without:.1f}"
)
assert one_answer - without > 0.5 * (with_points - without), "most of the lead is of whole voxels"

# %% [markdown]
# Nearly all of the lead stays. So the points bring something that is good for the *whole* voxel, and the picture of section 6, a
# bollard that shares its voxel with the pavement, is not what decides here. It could hardly be: about one voxel
# in a hundred of these thinned scans holds points of two labels. A whole scan puts several times as many points into a voxel, and there it
# may count. An explanation that fits: the branch hands the places of points
# to the end of the network on a short way of three layers, and there the neighbourhoods are already known, while without points the
# coordinates have to come through convolutions. Fitting is not proof. Exercise 6.10 asks how you would test it.
#
# Now a **real street**. The network has never seen one: its streets are boxes and cylinders. The scan is thinned to as many points as it is used to,
# and shifted so that the road lies at height 0. Colours are those of the legends above.

# %%
from efficientlab.viz.points.rendered import cloud_picture

lab.needs("6.9")
real = scans["street"][scans["street"].norm(dim=1) < 40.0]
order = torch.randperm(len(real), generator=torch.Generator().manual_seed(0))
real = real[order[: 8 * P.points]]
ground = real[real[:, :2].norm(dim=1) < 8.0, 2].median()
real = (real - torch.tensor([0.0, 0.0, ground])).unflatten(0, (8, P.points)).mT.contiguous()  # (8, 3, P)
network = models["SPVCNN", 0].eval()
with torch.inference_mode():
    label = network(real.to(P.device), real.to(P.device)).argmax(1).cpu()  # (8, P)
seen = torch.bincount(label.flatten(), minlength=K) / label.numel()
print(
    "given to the points of the real street: "
    + ", ".join(f"{n} {s:.1%}" for n, s in zip(LABELS, seen.tolist(), strict=True))
)
cloud_picture(
    real.transpose(0, 1).flatten(1),
    label.flatten(),
    "The real street, labelled by a network that learnt on drawn ones",
    elevation=35,
)
plt.show()

# %% [markdown]
# There are no labels to score this with, so it is a look and not a measurement. Planes transfer: what is flat and low is road, what is tall and
# flat is building. Trees and hedges do not occur in drawn streets, and have to become something else. Take such a picture as
# a warning: a score on drawn streets is a score on drawn streets.

# %% [markdown] exercise="6.10"
# Answer in a few sentences each, with numbers from this notebook:
#
# 1. Which class gains most from the point branch, which least? What do the classes that gain have in common?
# 2. The oracle of your voxel size is far above the network without points. Section 7 has ruled out one explanation, that voxels hold two
#    things. Name two that are still open; the one above may be one of them. Which experiment would tell your two apart, and what would it show in
#    either case?
# 3. A colleague reports that sparse convolution saves a factor of several thousand on the street at 10 cm, counting against the
#    dense box. Name a dense layer that somebody would run on a street. How many MACs does it take with 32 → 32 channels, and which factor
#    do you report for one layer? What becomes of it after three layers that are not *submanifold*?

# %% [markdown] answer="6.10"
# 1. See the table of IoU by class: crates and poles gain most, then pedestrians, bollards and cars; road, pavement and buildings
#    next to nothing. What gains is smaller than a few voxels, or differs from something alike by details of shape, as a crate from a car; what
#    does not is large, flat and already right.
# 2. The network knows too little of the voxel, and there are several ways to that: the mean feature of a voxel says too little of its points; or it
#    says enough, and the coordinates are lost on their way through the convolutions; or the training was too short. To tell the first from the
#    second, train the network without points twice: once with offsets and spreads of the points as further features of the voxel, once with the
#    mean coordinates handed to its head once more. If the first closes the gap, the mean said too little; if the second does, it had said
#    enough. For the third, train for three times as long.
# 3. A dense layer on 32³ voxels, as in PVCNN: $27 \cdot 32^3 \cdot 32 \cdot 32$ MACs, 0.9 G. The sparse layer takes about half of a G (table
#    of section 4), so the factor is about two, and its voxels are 10 cm wide where the dense ones are metres wide. All 27 neighbours
#    are no rival: nobody multiplies by voxels that do not exist. Without submanifold, the voxels grow more than twentyfold in three
#    layers, and the MACs of a layer at least as much: then the dense layer is the cheaper one by far.
#
# === BEGIN MARK SCHEME ===
# 8 points. (1) 3 points: a class that gains and one that does not with figures (2), size or likeness as the reason (1).
# (2) 3 points: two explanations that are still open (2), an experiment that separates them, with both outcomes (1); that voxels hold two
# things does not count, and retelling section 7 is no experiment. (3) 2 points: a rival that somebody would run, with its factor (1); the
# growth, and that it is greater than the factor (1). The count of all 27 neighbours is no rival.
# === END MARK SCHEME ===

# %% [markdown]
# ## 8 · Further: the gradient by hand
#
# Automatic differentiation has trained your convolution. What does it compute? Let $L$ be a loss and $g_o = \partial L / \partial y_o$.
# In $y_o = \sum_k \sum_{(i, o)} x_i W_k$, a voxel $i$ reaches the loss through every pair in which it is the input, and a matrix
# through every pair of its offset.

# %% [markdown] exercise="6.11"
# Write both gradients, without automatic differentiation:
#
# $$ \frac{\partial L}{\partial x_i} = \sum_k \sum_{(i, o) \in \text{pairs}_k} g_o \, W_k^{\!\top}, \qquad
# \frac{\partial L}{\partial W_k} = \sum_{(i, o) \in \text{pairs}_k} x_i^{\!\top} g_o. $$
#
# <details><summary>Hint 1 · nudge</summary>
#
# The first is a convolution over the same pairs with the ends exchanged: the way up of 6.6.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# The second needs no scatter. The sum over pairs is a matrix product, $C \times M_k$ times $M_k \times D$.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `x[source].T @ grad[target]` is the gradient of one matrix, also where there is no pair.
# </details>


# %% exercise="6.11"
def sparse_conv_grads(grad: Tensor, x: Tensor, weight: Tensor, pairs: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The gradients of a sparse convolution with respect to x and weight.

    Shapes: grad (V', D), of the output; x (V, C); weight (K, C, D); pairs: K tensors (M_k, 2) of rows of x and rows of
    the output; returns (V, C) and (K, C, D).
    """
    ### BEGIN SOLUTION
    to_x, to_weight = torch.zeros_like(x), []
    for k, pair in enumerate(pairs):
        matrix = weight[k]
        source, target = pair.T
        to_x = to_x.index_add(0, source, grad[target] @ matrix.T)
        to_weight.append(x[source].T @ grad[target])
    return to_x, torch.stack(to_weight)
    ### END SOLUTION


# %% check="6.11"
lab.check("6.11", sparse_conv_grads)

# %% [markdown]
# ## 9 · Further: the order of rows
#
# A pair gathers a row from anywhere in memory. The rows may stand in any order, as long as the pairs know it. In which
# order do neighbours in space stand near each other in memory? A *space-filling curve* visits all voxels so that it seldom jumps far. The
# simplest is Morton's, which interleaves the bits of the coordinates.

# %% [markdown] exercise="6.12"
# Give the rows in the order of Morton's curve. Shift the coordinates so that the least of each axis, over all clouds, is 0. With
# $x = x_{15} \dots x_1 x_0$ in binary digits, and so for $y$ and $z$, the place of a voxel on the curve is the number
#
# $$ x_{15} y_{15} z_{15} \; \dots \; x_1 y_1 z_1 \; x_0 y_0 z_0. $$
#
# Clouds come one after the other. All coordinates are below $2^{16}$ after the shift.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Bit $n$ of $z$ goes to place $3n$, that of $y$ to $3n + 1$, that of $x$ to $3n + 2$.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `(x >> n) & 1` is bit $n$ of all numbers of a tensor at once, and `<< m` puts it into place $m$. Add up, over bits and axes.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `(coords[:, 0] * 2**48 + code).argsort()` sorts by cloud first. `argsort` gives the rows in order, which is what is asked.
# </details>


# %% exercise="6.12"
def morton_order(coords: Tensor) -> Tensor:
    """The rows of coords (V, 4), int64, distinct, in the order of Morton's curve: (V,), int64."""
    ### BEGIN SOLUTION
    xyz = coords[:, 1:]
    x = xyz - xyz.amin(0)  # (V, 3), none is negative
    code = torch.zeros_like(x[:, 0])
    for bit in range(16):
        for axis in range(3):
            code += ((x[:, axis] >> bit) & 1) << (3 * bit + 2 - axis)
    return (coords[:, 0] * 2**48 + code).argsort()
    ### END SOLUTION


# %% check="6.12"
lab.check("6.12", morton_order)

# %% [markdown]
# A convolution over the street reads, output after output, the rows of the neighbours, 64 bytes a row, through a cache of
# 32 KB. What share of these reads *misses* the cache, from 0 to 1, if the rows stand in random order, row by row, along the curve? Write
# your guess in place of each `None`. The cell behind it also measures the time, in one interleaved run, of gathering all rows and of the
# library's convolution.

# %% tags=["guess"]
guessed_misses = {
    "random": 0.9,  # your guess
    "row by row": 0.4,
    "along the curve": 0.1,
}
lab.lock("misses a read", guessed_misses)

# %% tags=["result"]
from efficientlab.counters.cache import cache_misses
from efficientlab.viz.comparison import predicted_against_measured

lab.needs("6.1", "6.12")
street = voxels["street"]
orders = {
    "random": torch.randperm(len(street), generator=torch.Generator().manual_seed(0)),
    "row by row": torch.arange(len(street)),
    "along the curve": morton_order(street),
}
features, weight = torch.randn(len(street), 16), torch.randn(27, 16, 16)
missed, gathers, convolutions = {}, {}, {}
for name, order in orders.items():
    coords = street[order].int()
    known = kernels.kernel_map(coords, coords, 3)
    reads = known.source.long()[known.target.argsort(stable=True)]  # output after output
    missed[name] = cache_misses(reads[:200_000].tolist(), 64, 32 << 10) / 200_000
    gathers[name] = partial(features.index_select, 0, reads)
    convolutions[name] = partial(kernels.sparse_conv, features, weight, known)
reading, convolving = (
    compare(what, "random", rounds=10, timer=processor_time) for what in (gathers, convolutions)
)
print("                  misses a read   time to gather   time to convolve, of random order's")
for name in orders:
    print(
        f"{name:16}{missed[name]:15.3f}{reading.ratio[name].value:17.2f}{convolving.ratio[name].value:19.2f}"
    )
predicted_against_measured(guessed_misses, missed, "misses a read")
plt.show()
assert missed["along the curve"] < missed["row by row"] < 0.5 * missed["random"]

# %% [markdown]
# Against random order the misses differ severalfold. The times differ less: the larger caches of a processor hold the whole table, and
# a convolution multiplies as well. And most is won by *any* order that keeps neighbours together: row by row, as 6.1 leaves them, the
# voxels are nearly as good as along the curve, and the convolution is no slower. On larger scenes, where a slice of the street no longer
# fits a cache, and on GPUs, whose threads share a cache line if they ask together, order counts for more.

# %% [markdown]
# ## 10 · Further: 3D-NAS in small
#
# How wide should each stage be? A **super-network** holds the weights of the widest choice; a narrower network uses the
# first channels of each layer, and all of them are trained together, a random one a step. Then a search tries widths
# without training anything. Nearly all layers are sliced as in lab 1: the first $c$ inputs and the first $d$ outputs. One is not.

# %% [markdown] exercise="6.13"
# After a concatenation $[u, \mathrm{skip}]$ the inputs of a layer come from two places. In the super-network $u$ has up to
# `up_max` channels, and the skip begins *behind* them. A narrow network with `up` and `skip` channels needs two ranges of
# the inputs. Cut them out, with the first `out` outputs.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Draw the rows of one matrix: `up_max` for $u$, then the skip's. Which of them does the narrow network have inputs for?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# The first `up` rows, and `skip` rows from row `up_max` on.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `torch.cat([weight[:, :up, :out], …], 1)`: gradients flow through it.
# </details>


# %% exercise="6.13"
def slice_joined(weight: Tensor, up: int, skip: int, up_max: int, out: int) -> Tensor:
    """The weights that a narrow network uses after a concatenation.

    Shapes: weight (K, up_max + the widest skip, D); returns (K, up + skip, out), a slice: its gradient reaches weight.
    """
    ### BEGIN SOLUTION
    return torch.cat([weight[:, :up, :out], weight[:, up_max : up_max + skip, :out]], 1)
    ### END SOLUTION


# %% check="6.13"
lab.check("6.13", slice_joined)

# %% [markdown]
# The super-network that ships (`data/streets`, with the command and the log that made it) is an SPVCNN of five elastic
# widths and four elastic depths: 50,000 networks. Cut one of them out with your slice. Its batch norms still have the statistics of the widest network, which
# saw other sums. So they are measured anew on a few scans, without training: *recalibrated*.

# %% tags=["result"]
from efficientlab.models.streets.costs import geometry, spvcnn_macs
from efficientlab.models.streets.super_network import SPACE, UNIFORM, WIDEST, extract, load_super_network
from efficientlab.models.streets.super_network import network as empty_network
from efficientlab.training.streets.super_network import recalibrate

lab.needs("6.13")
whole = load_super_network(3, K, P.size)
a_few = train[: P.val_scans]


def cut_out(config):
    """The network of a configuration, with the super-network's weights."""
    return extract(whole, empty_network(3, K, P.size, Widths(*config)), Widths(*config), slice_joined)


narrow = cut_out(UNIFORM[0])
before = class_score(predict(narrow, test), test.part, K).miou
recalibrate(narrow, a_few)
after = class_score(predict(narrow, test), test.part, K).miou
print(f"half of the width: mIoU {before:.1%} with the widest network's statistics, {after:.1%} with its own")
assert after > before

# %% [markdown] exercise="6.14"
# Write an evolutionary search under a limit of MACs.
#
# 1. If even the smallest configuration, the least choice of every stage, is beyond the limit, no search will help: raise a `ValueError` with
#    a sentence that names the MACs of the smallest configuration. Evaluate nothing.
# 2. Fill the first generation with `population` different random configurations that the limit allows. Evaluate them.
# 3. For each further generation, take the best quarter of *everything evaluated so far* as parents. Make `population` new
#    configurations: half by **mutation** (a parent with one or two genes drawn anew), half by **crossover** (each gene from
#    one of two parents). Evaluate them.
# 4. Return the best configuration that was evaluated.
#
# `evaluate(config)` gives a quality; higher is better. It is expensive: call it at most `population` × `generations` times, and
# never twice for the same configuration. All randomness comes from `rng`. Where the limit allows few configurations, new ones may not exist:
# give up on a generation after a number of tries. At least one configuration is evaluated in any case.
#
# <details><summary>Hint 1 · nudge</summary>
#
# A dictionary from configurations to qualities is population, memory and result in one.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Random draws may all be beyond a tight limit. The smallest configuration is allowed: let it be the first that you evaluate.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `for _ in range(200 * population)`: propose; evaluate if it is new and within the limit; leave the loop when there are enough. Crossover:
# `tuple(pair[draw(2)] for pair in zip(mother, father))`.
# </details>


# %% exercise="6.14"
def evolve(
    evaluate, macs, space, limit, population: int, generations: int, rng: torch.Generator
) -> tuple[int, ...]:
    """The best configuration within the limit that an evolutionary search finds.

    evaluate: configuration → quality, higher is better; macs: configuration → cost, at most `limit`;
    space: one tuple of choices for each gene. Raises ValueError if no configuration is within the limit.
    """
    ### BEGIN SOLUTION
    smallest = tuple(min(choices) for choices in space)
    if macs(smallest) > limit:
        raise ValueError(f"no configuration meets {limit:,} MACs: the smallest has {macs(smallest):,}")
    found = {smallest: evaluate(smallest)}

    def draw(n):
        return int(torch.randint(n, (), generator=rng))

    def random_config():
        return tuple(choices[draw(len(choices))] for choices in space)

    def child(parents):
        if draw(2):
            mother, father = parents[draw(len(parents))], parents[draw(len(parents))]
            return tuple(pair[draw(2)] for pair in zip(mother, father, strict=True))
        mutant = list(parents[draw(len(parents))])
        for _ in range(1 + draw(2)):
            gene = draw(len(space))
            mutant[gene] = space[gene][draw(len(space[gene]))]
        return tuple(mutant)

    for generation in range(generations):
        parents = sorted(found, key=found.get, reverse=True)[: max(2, len(found) // 4)]
        for _ in range(200 * population):
            if len(found) >= (generation + 1) * population:
                break
            config = child(parents) if generation else random_config()
            if config not in found and macs(config) <= limit:
                found[config] = evaluate(config)
    return max(found, key=found.get)
    ### END SOLUTION


# %% check="6.14"
lab.check("6.14", evolve)

# %% [markdown]
# Search: the quality of a configuration is its mIoU on the validation scans, after recalibration; nothing is trained. The rival is the
# network whose stages are all three quarters as wide, at the same limit of MACs. The test split is touched once for each.

# %% tags=["result"]
from functools import cache

lab.needs("6.13", "6.14")
shape = geometry(val.points[:1], P.size)


def macs_of(config):
    return spvcnn_macs(shape, Widths(*config), 3, K)


@cache
def quality(config):
    """mIoU on the validation scans."""
    candidate = cut_out(config)
    recalibrate(candidate, a_few)
    return class_score(predict(candidate, val), val.part, K).miou


def tested(config):
    candidate = cut_out(config)
    recalibrate(candidate, a_few)
    return 100 * class_score(predict(candidate, test), test.part, K).miou


limit = macs_of(UNIFORM[2])
searched = [
    evolve(quality, macs_of, SPACE, limit, P.population, P.generations, torch.Generator().manual_seed(seed))
    for seed in range(P.searches)
]
table = {"widest": WIDEST, "uniform, ¾ wide": UNIFORM[2]}
table |= {f"search {seed}": Widths(*config) for seed, config in enumerate(searched)}
scores = {name: tested(config) for name, config in table.items()}
print(f"{'':18}{'M MACs':>8}{'val':>7}{'test':>7}   widths | blocks")
for name, config in table.items():
    print(
        f"{name:18}{macs_of(config) / 1e6:8.1f}{100 * quality(tuple(config)):7.1f}{scores[name]:7.1f}"
        f"   {'-'.join(map(str, config[:5]))} | {'-'.join(map(str, config[5:]))}"
    )
found = sum(scores[f"search {seed}"] for seed in range(P.searches)) / P.searches
print(
    f"mean of the searches on the test split: {found:.1f}, uniform at the same limit: {scores['uniform, ¾ wide']:.1f}"
)
assert all(macs_of(config) <= limit for config in searched)
try:
    evolve(quality, macs_of, SPACE, 1_000_000, P.population, P.generations, torch.Generator().manual_seed(0))
except ValueError as refusal:
    print(f"a limit of a million: {refusal}")

# %% [markdown]
# Read both columns. On validation the searched networks are ahead of the uniform one, which is no wonder: they were chosen for that. On the
# test split the lead is gone: in the run that ships their mean is about the uniform network's, one search above it and another below. A search that tries dozens of
# networks on a few scans also learns these scans. The published search chose by thousands
# of whole scans. With more validation scans, does the lead come back? `P.val_scans` is the number to change.

# %% [markdown]
# ## 11 · On real streets with labels
#
# **SemanticKITTI** labels every point of 22 sequences of a car's LiDAR with 19 classes; the labels of the last eleven are kept back for its benchmark. To run this section, accept its terms at
# [semantic-kitti.org](http://www.semantic-kitti.org), start Jupyter with `EFFICIENTLAB_PROFILE=full`, and set
# `EFFICIENTLAB_SEMANTICKITTI` to the folder that holds `sequences/`. The paper reports 60.7 mIoU for its
# smallest SPVCNN on sequence 08, at 30 G MACs, and 58.9 for the same network without points: with voxels of 5 cm and networks
# hundreds of times as costly, the points bring less than in this lab. Take the lead of section 7 as one of small networks, trained briefly.

# %%
if P.name == "full":
    from efficientlab.datasets.streets.semantickitti import CLASSES, SemanticKITTI

    lab.needs("6.9")
    folder = os.environ.get("EFFICIENTLAB_SEMANTICKITTI", "semantickitti")
    drives, held_out = (SemanticKITTI(folder, split) for split in ("train", "val"))
    rivals = {
        "SPVCNN": SPVCNN(4, len(CLASSES), 0.05, Widths(32, 64, 128, 96, 64, 2, 2, 2, 2), block=SPVConv),
        "without points": SparseUNet(4, len(CLASSES), 0.05, Widths(32, 64, 128, 96, 64, 2, 2, 2, 2)),
    }
    rivals = {name: net.to(P.device) for name, net in rivals.items()}
    fit_all(
        rivals, drives, seeds=dict.fromkeys(rivals, 0), workers=P.workers, epochs=1, batch=P.batch, lr=P.lr
    )
    truth = torch.cat([held_out[i : i + 1].part for i in range(len(held_out))])
    for name, net in rivals.items():
        found = class_score(predict(net, held_out), truth, len(CLASSES))
        print(f"{name}: mIoU {found.miou:.3f} on the drawn points of sequence 08")
else:
    print("This section needs SemanticKITTI and the profile `full`.")

# %% [markdown]
# ## 12 · Kernel corner
#
# Gather, multiply and scatter are three passes over memory. A GPU kernel can do all three at once: each program takes a pair, reads
# a row, multiplies it by the offset's matrix, and adds the product to the row of the output. Several pairs
# meet in one row: `tl.atomic_add(pointer + offsets, values, mask=…)` reads, adds and writes without letting anyone in
# between. In which order they come is open, so on a GPU the last digits differ from run to run. The fast libraries give a program
# a tile of many pairs or outputs, for which a matrix is read once, and some turn the loops round: output by output (*implicit GEMM*,
# [TorchSparse++](https://arxiv.org/abs/2311.12862)), nothing has to be added atomically.
#
# [Triton](https://triton-lang.org/main/getting-started/tutorials/01-vector-add.html) kernels are written in Python. Many
# copies of the function, *programs*, run at once. In program `(p, block)` of a grid, `tl.program_id(0)` is p and
# `tl.program_id(1)` is block. `tl.arange(0, BLOCK)` is a vector of numbers 0 … BLOCK − 1.
# `tl.load(pointer + offsets, mask=…, other=0.0)` reads a vector of numbers from memory, and gives 0.0 where the mask is
# false. Without a GPU, Triton's interpreter runs the same kernel in Python: slow, and exact.

# %% [markdown] exercise="6.15"
# Write it. `x` has rows of `channels` numbers, `y` has rows of `outputs` numbers, all zero at the start. `weight` holds $K$ matrices of
# `channels` rows and `outputs` columns, one after the other. Pair $p$ belongs to offset `offset[p]`, reads row `source[p]` of `x`
# and adds to row `target[p]` of `y`. Program `(p, block)` computes `BLOCK` numbers of the product, from column `block · BLOCK` on, in a loop over channels.
# The last block may be partly outside: mask the loads of the matrix and the addition. If only one of them is masked, the sums are right
# here, and on a GPU the kernel may crash.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Where does row $c$ of matrix $k$ begin, in numbers?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `for c in range(channels)`: load one number of `x` and a vector of `weight`, and add their product to a vector that began as
# `tl.zeros((BLOCK,), tl.float32)`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `weight_ptr + offset * channels * outputs + c * outputs + d`, with `d` the columns of the block.
# </details>

# %% exercise="6.15"
from efficientlab.exercises.kernel_corner import tl, triton  # Triton itself, where it is installed


@triton.jit
def gather_multiply_kernel(
    x_ptr, weight_ptr, offset_ptr, source_ptr, target_ptr, y_ptr, channels, outputs, BLOCK: tl.constexpr
):
    """One program adds BLOCK numbers of one pair's product to its output's row."""
    ### BEGIN SOLUTION
    pair = tl.program_id(0)
    d = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = d < outputs
    offset = tl.load(offset_ptr + pair)
    source = tl.load(source_ptr + pair)
    target = tl.load(target_ptr + pair)
    total = tl.zeros((BLOCK,), tl.float32)
    for c in range(channels):
        value = tl.load(x_ptr + source * channels + c)
        row = tl.load(weight_ptr + offset * channels * outputs + c * outputs + d, mask=inside, other=0.0)
        total += value * row
    tl.atomic_add(y_ptr + target * outputs + d, total, mask=inside)
    ### END SOLUTION


# %% check="6.15"
lab.check("6.15", gather_multiply_kernel)

# %% [markdown]
# ## What you have passed

# %%
lab.summary()

# %% [markdown]
# ## What to take with you
#
# - A sparse convolution is a list of pairs. It does not look at empty voxels, and it has to look up what a dense one computes.
# - Its cost is pairs · C · D. Counting all 27 neighbours, or the box, flatters the saving.
# - Submanifold keeps a sparse scene sparse; without it the voxels grow with every layer.
# - The way up goes over the map of the way down: rows must mean the same voxels.
# - A point branch costs few MACs and helps much here. Why it helps is a question of its own: an oracle and one more experiment ruled
#   out the reason that seemed obvious.
# - Interpolation in a sparse grid must say what a missing corner means.
#
# **Further reading.** [SPVNAS](https://arxiv.org/abs/2007.16100) · [submanifold sparse
# convolutions](https://arxiv.org/abs/1711.10275) · [MinkowskiEngine](https://arxiv.org/abs/1904.08755) ·
# [TorchSparse](https://arxiv.org/abs/2204.10319) · [SemanticKITTI](https://arxiv.org/abs/1904.01416).
