# %% [markdown]
# # Lab 0 · What does it cost?
#
# This series makes vision networks cheaper. Every claim in it has the form "this costs less than that, and does the
# same". So before anything is made cheaper, there must be a meter, and you must know when to believe it. Published
# numbers are wrong more often than one would think, in tools and in papers. In this lab you build the meters yourself.
#
# **What you will have at the end.**
#
# 1. A count of multiply-accumulates that is right where widely used counters are wrong. (*Further:* the place in a
#    well-known network where 7.2 billion of them were counted that never happen.)
# 2. A meter of bytes, a clock that can be believed, and a roofline that says whether bytes or arithmetic set the pace.
# 3. A measured answer to the question of the series: half the multiplications, half the time?
# 4. *Further:* three measurements on real data of what there is to save: in images, in video, in LiDAR scans.
#
# **How to work.** Read, write the code of an exercise, run the check below it. Hints unfold. If you are stuck, go on: a
# later section that needs the missing piece says so, and `lab.borrow` hands it out for no points. The **core path**,
# sections 1 and 4 to 7, takes about 90 minutes. Sections 2 and 3 (where counters go wrong), 8 and 9 go further; they have
# points of their own, and you can do them in any order. The measurements take about two minutes.
#
# | symbol | meaning |
# |---|---|
# | $N$ | images in a batch |
# | $C$ | channels; $C_{in}$ and $C_{out}$ of a layer's input and output |
# | $H, W$ | rows and columns of an image or feature map |
# | $k$ | edge of a convolution's kernel |
# | $g$ | groups of a convolution |
# | MAC | one multiplication and one addition (1 MAC = 2 FLOPs) |
# | $I$ | arithmetic intensity: FLOPs per byte |
# | $F, B$ | a device's peak rate in FLOP/s and its memory bandwidth in bytes/s |

# %% tags=["prelude"]
import time
from functools import partial
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.exercises.lab0 import lab
from efficientlab.exercises.lab0.counting import LAYERS
from efficientlab.exercises.lab0.roofline import OPS
from efficientlab.exercises.profile import choose_profile

# %% [markdown]
# The numbers that set the size of the measurements stand here, once. `ci` is for a laptop's CPU, `colab` for one T4.
# Set the environment variable `EFFICIENTLAB_PROFILE` before you start Jupyter to choose another one.

# %%
PROFILES = {
    "ci": {
        "device": "cpu",
        "ops": {"n": 8, "c": 32, "side": 112},  # of section 4's operators: 13 MB a tensor
        "trials": 9,  # of the clocks' experiment in section 5
        "clock_batch": 4,  # images of its convolution: some milliseconds of work
        "rounds": 15,  # of every comparison of times
        "generator_side": 64,  # pixels; of section 6's generator
        "groups": {  # the layers of section 7: N, C, side, kernel
            "3×3, 128 channels": (4, 128, 28, 3),
            "3×3, 64 channels": (4, 64, 56, 3),
            "1×1, 64 channels": (4, 64, 112, 1),
        },
    },
    "colab": {
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "ops": {"n": 64, "c": 32, "side": 112},
        "trials": 15,
        "clock_batch": 256,
        "rounds": 30,
        "generator_side": 256,
        "groups": {
            "3×3, 128 channels": (64, 128, 28, 3),
            "3×3, 64 channels": (64, 64, 56, 3),
            "1×1, 64 channels": (64, 64, 112, 1),
        },
    },
}
P = choose_profile(PROFILES)
torch.set_num_threads(1)  # so that times do not depend on how many cores are idle

# %% [markdown]
# ## 1 · Counting: each weight, at each place where it is used
#
# The unit of arithmetic in a network is the **multiply-accumulate** (MAC): $a \leftarrow a + w \cdot x$. A MAC is two
# floating-point operations (FLOPs). Papers mix the two up, so this series names them apart.
#
# A convolution multiplies each of its weights with the input once for each place where it puts its kernel down. With
# $P$ places and the number of weights $|w|$, one image costs
#
# $$ \text{MACs} = P \cdot |w|, \qquad |w| = C_{out} \cdot \frac{C_{in}}{g} \cdot k_1 k_2 \cdots $$
#
# For an ordinary convolution the places are the *output* positions, since each output number is a sum over the kernel.
# In a group, an output channel reads $C_{in}/g$ input channels; $g = C_{in}$ is called *depthwise*. A product with a
# padding zero counts by convention: most kernels compute it, some skip it. Biases, norms and activations count as 0 MACs: they cost bytes, not
# multiplications, and section 4 counts those.

# %% [markdown] exercise="0.1"
# Work out the MACs of six layers, for one image, with paper and pencil. Write them as a dictionary `by_hand` from the
# name to an integer. You may write products; they are easier to check.
#
# | name | layer | its input |
# |---|---|---|
# | `dense` | `Conv2d(16, 32, 3, padding=1)` | 16 × 20 × 20 |
# | `strided` | `Conv2d(16, 32, 3, stride=2, padding=1)` | 16 × 20 × 20 |
# | `depthwise` | `Conv2d(32, 32, 3, padding=1, groups=32)` | 32 × 20 × 20 |
# | `dilated` | `Conv2d(16, 32, 3, padding=2, dilation=2)` | 16 × 20 × 20 |
# | `transposed` | `ConvTranspose2d(32, 16, 4, stride=2, padding=1)` | 32 × 20 × 20 |
# | `3D` | `Conv3d(8, 16, 3, padding=1)` | 8 × 6 × 10 × 10 |
#
# A *dilated* convolution puts its taps further apart. A *transposed* convolution is the other way round: each **input**
# number is multiplied by the whole kernel, and the products are added into the output, which is larger.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Count the weights of each layer first. For five of the six, the places are the output positions.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# The strided layer's output is 10 × 10, the others' have the size of their input, except the transposed one's.
# Dilation moves taps, it does not add any.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `dense` is $20 \cdot 20 \cdot (32 \cdot 16 \cdot 9)$. For `transposed`, how many input numbers are there in a channel,
# and how many weights does each of them meet?
# </details>

# %% exercise="0.1"
### BEGIN SOLUTION
by_hand = {
    "dense": 20 * 20 * (32 * 16 * 9),
    "strided": 10 * 10 * (32 * 16 * 9),
    "depthwise": 20 * 20 * (32 * 1 * 9),
    "dilated": 20 * 20 * (32 * 16 * 9),
    "transposed": 20 * 20 * (32 * 16 * 16),
    "3D": 6 * 10 * 10 * (16 * 8 * 27),
}
### END SOLUTION

# %% check="0.1"
lab.check("0.1", by_hand)
lab.lock("thousand MACs by hand", {name: macs / 1e3 for name, macs in by_hand.items()})

# %% [markdown]
# Now measure. `measure` runs the layer and adds up what every operator really did. On *meta* tensors, which have a shape
# and no numbers, nothing is computed at all.

# %%
import matplotlib.pyplot as plt

from efficientlab.counters import measure
from efficientlab.viz.comparison import predicted_against_measured
from efficientlab.viz.style import use_style

use_style()
lab.needs("0.1")
with torch.device("meta"):
    image = torch.empty(1, 16, 20, 20)
    wide, volume = torch.empty(1, 32, 20, 20), torch.empty(1, 8, 6, 10, 10)
    family = {
        "dense": (nn.Conv2d(16, 32, 3, padding=1), image),
        "strided": (nn.Conv2d(16, 32, 3, stride=2, padding=1), image),
        "depthwise": (nn.Conv2d(32, 32, 3, padding=1, groups=32), wide),
        "dilated": (nn.Conv2d(16, 32, 3, padding=2, dilation=2), image),
        "transposed": (nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1), wide),
        "3D": (nn.Conv3d(8, 16, 3, padding=1), volume),
    }
counted = {name: measure(layer, x, time=False).macs for name, (layer, x) in family.items()}
assert tuple(counted) == LAYERS and counted == by_hand
predicted_against_measured(
    {name: macs / 1e6 for name, macs in by_hand.items()},
    {name: macs / 1e6 for name, macs in counted.items()},
    "million MACs",
)
plt.show()

# %% [markdown] exercise="0.2"
# Write it down in code, for 1D, 2D and 3D convolutions alike. `size` and `kernel` are tuples with a number for each
# dimension; the other options hold in every dimension. An ordinary convolution has, in each dimension,
#
# $$ \left\lfloor \frac{\text{size} + 2 \cdot \text{padding} - \text{dilation} \cdot (k - 1) - 1}{\text{stride}} \right\rfloor + 1 $$
#
# output positions. Return an integer.
#
# <details><summary>Hint 1 · nudge</summary>
#
# The number of weights is the same formula for both kinds. Which positions count for a transposed convolution?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Make a tuple or list `places` with a number for each dimension, and multiply with `prod`, which is imported.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Division is `//`, so that the result is an integer. For `transposed`, `places` is simply `size`.
# </details>


# %% exercise="0.2"
def conv_macs(size, c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1, transposed=False) -> int:
    """MACs of a convolution for one image, volume or sequence.

    size: positions of the input in each dimension; kernel: taps in each dimension; both tuples of 1, 2 or 3 numbers.
    """
    ### BEGIN SOLUTION
    weights = c_out * (c_in // groups) * prod(kernel)
    if transposed:
        return prod(size) * weights
    places = [
        (length + 2 * padding - dilation * (taps - 1) - 1) // stride + 1
        for length, taps in zip(size, kernel, strict=True)
    ]
    return prod(places) * weights
    ### END SOLUTION


# %% check="0.2"
lab.check("0.2", conv_macs)

# %% [markdown]
# Your formula against the counter, on layers that nobody has picked:

# %% tags=["nbval-check-output"]
lab.needs("0.2")
generator = torch.Generator().manual_seed(0)


def draw(low, high):
    return int(torch.randint(low, high + 1, (), generator=generator))


for _ in range(100):
    dims, transposed, groups = draw(1, 3), bool(draw(0, 1)), draw(1, 3)
    size = tuple(draw(9, 16) for _ in range(dims))
    kernel = tuple(draw(1, 4) for _ in range(dims))
    options = {"stride": draw(1, 3), "padding": draw(0, 1), "dilation": draw(1, 2), "groups": groups}
    c_in, c_out = groups * draw(1, 5), groups * draw(1, 5)
    kind = getattr(nn, f"Conv{'Transpose' if transposed else ''}{dims}d")
    with torch.device("meta"):
        layer, x = kind(c_in, c_out, kernel, **options), torch.empty(1, c_in, *size)
    assert (
        conv_macs(size, c_in, c_out, kernel, transposed=transposed, **options)
        == measure(layer, x, time=False).macs
    )
print("100 random layers, 100 agreements")

# %% [markdown]
# ## 2 · Further: find the 7.2 billion
#
# The generator of [CycleGAN](https://arxiv.org/abs/1703.10593) is known as *ResNet-9*. The paper that makes it 21 times
# smaller, [GAN Compression](https://arxiv.org/abs/2003.08936), gives its cost as **56.8 G MACs**, for one image of
# 256 × 256 pixels. Our counter disagrees:

# %% tags=["result"]
from efficientlab.models.gan.cyclegan import CycleGANGenerator

PUBLISHED = 56.8e9
with torch.device("meta"):
    whole = measure(CycleGANGenerator().eval(), torch.empty(1, 3, 256, 256), time=False)
print(
    f"published {PUBLISHED / 1e9:.2f} G MACs, counted {whole.macs / 1e9:.2f} G, {whole.params / 1e6:.3f} M parameters"
)
print(f"difference {(PUBLISHED - whole.macs) / 1e9:.2f} G")
assert whole.complete and abs(PUBLISHED - whole.macs - 7.25e9) < 0.01e9

# %% [markdown] exercise="0.3"
# The parameters agree with the authors' code, so it is the same network. Somebody has counted MACs that do not happen.
# Find out where. Write a function that returns two numbers for a network of this kind: the right MACs, and the MACs
# *with the mistake*, which must be 56.80 G for side 256, width 64 and 9 blocks.
#
# With $w$ = `width`, the network is this, layer by layer (norms, activations and padding are 0 MACs):
#
# | part | layer | from | to |
# |---|---|---|---|
# | stem | 7 × 7, keeps the size | $3 \times H \times W$ | $w \times H \times W$ |
# | down 1, 2 | 3 × 3, stride 2, padding 1 | $w \times H \times W$ | $4w \times H/4 \times W/4$, through $2w \times H/2 \times W/2$ |
# | `blocks` blocks | two 3 × 3 each, keep the size | $4w \times H/4 \times W/4$ | the same |
# | up 1, 2 | transposed 3 × 3, stride 2 | $4w \times H/4 \times W/4$ | $w \times H \times W$, through $2w \times H/2 \times W/2$ |
# | head | 7 × 7, keeps the size | $w \times H \times W$ | $3 \times H \times W$ |
#
# You may use your `conv_macs`, or plain products.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Work out the right count first, part by part, and compare the parts with the difference. Which parts can have hidden
# 7.25 G between them?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# The difference is large, so a layer was counted several times over. One kind of layer has two sizes that one can take
# for the number of places, and only one of them is right. How many times larger is the other?
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Section 1: for a transposed convolution the places are the *input* positions. With stride 2, the output has four times
# as many.
# </details>


# %% exercise="0.3"
def generator_macs(side, width, blocks) -> tuple[int, int]:
    """(MACs, MACs with the mistake that gives the published number) of CycleGAN's generator, one image.

    side: H = W, a multiple of 4; width: channels after the stem; blocks: number of residual blocks.
    """
    ### BEGIN SOLUTION
    full, half, quarter = side**2, (side // 2) ** 2, (side // 4) ** 2
    stem = full * (width * 3 * 49)
    down = half * (2 * width * width * 9) + quarter * (4 * width * 2 * width * 9)
    middle = blocks * 2 * quarter * (4 * width * 4 * width * 9)
    up = quarter * (2 * width * 4 * width * 9) + half * (width * 2 * width * 9)
    head = full * (3 * width * 49)
    right = stem + down + middle + up + head
    return right, right - up + 4 * up  # transposed convolutions at the size of their output
    ### END SOLUTION


# %% check="0.3"
lab.check("0.3", generator_macs)

# %%
from efficientlab.viz.costs import stacked_parts

lab.needs("0.3")
right, published = generator_macs(256, 64, 9)
print(
    f"right {right / 1e9:.2f} G, with the mistake {published / 1e9:.2f} G, published {PUBLISHED / 1e9:.1f} G"
)
assert right == whole.macs and abs(published - PUBLISHED) < 0.01e9
parts = {
    "stem, head": whole["stem"].macs + whole["head"].macs,
    "down": whole["down1"].macs + whole["down2"].macs,
    "blocks": whole["blocks"].macs,
    "up": whole["up1"].macs + whole["up2"].macs,
}
mistaken = parts | {"up": 4 * parts["up"]}
stacked_parts(
    {
        title: {name: macs / 1e9 for name, macs in counts.items()}
        for title, counts in (("counted", parts), ("as published", mistaken))
    },
    "billion MACs",
)
plt.show()

# %% [markdown]
# Look at the numbers of *down* and *up*: they are equal. So there is a second suspect. Had somebody counted the
# *strided* convolutions at the size of their input, the sum would be the same, and the total alone cannot tell the two
# apart. What can is how tools count: several widely used counters multiply output positions by weights for every kind of
# convolution (`benchmarks/counters.py` compares them). That is right for strided convolutions and wrong for
# transposed ones.
#
# A factor that everybody shares does no harm to a ranking. This one does: it charges networks with transposed
# convolutions and not the ones that upsample otherwise.
#
# ## 3 · Further: a counter with hooks, and what it misses
#
# Nobody counts a network by hand for long. PyTorch calls a **forward hook** after each call of a module, with the module,
# its inputs and its output. Many counters are built on this.

# %% [markdown] exercise="0.4"
# Write a counter. It returns a dictionary from the name of each convolution, transposed convolution and linear layer
# (1D to 3D; names as in `model.named_modules()`) to the MACs that it did while `model(*inputs)` ran, **for the whole
# batch**. A layer that is called twice has done its work twice. Leave the model as it was: the hooks go, even if the model
# raises an error, and its mode (`train` or `eval`) stays. (In `train` mode a run moves the running statistics of batch
# norms. You need not undo that; `measure` does.)
#
# The formula is shorter here than in exercise 0.2, because a layer knows its weight and a hook sees the shapes:
#
# $$ \text{MACs} = \frac{\text{numbers in } y}{C_{out}} \cdot |w|, \qquad
# \text{transposed: } \frac{\text{numbers in } x}{C_{in}} \cdot |w|, \qquad
# \text{linear: } \frac{\text{numbers in } y}{\text{features}_{out}} \cdot |w| $$
#
# with $x$ the layer's input and $y$ its output, batch included.
#
# <details><summary>Hint 1 · nudge</summary>
#
# A hook is a function `hook(module, inputs, output)`. It does not know the module's name. How does it find out?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `module.register_forward_hook(hook)` returns a handle with a method `remove`. Collect the handles, and remove them in a
# `finally`. `isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear))` picks the layers; the transposed kinds are
# classes of their own, `nn.ConvTranspose2d` and so on.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Use `functools.partial(hook, name)` to bind the name, and add to what is already in the dictionary:
# `counts[name] = counts.get(name, 0) + …`. Run the model under `torch.no_grad()`.
# </details>


# %% exercise="0.4"
def count_macs(model: nn.Module, *inputs: Tensor) -> dict[str, int]:
    """MACs of each convolution and linear layer that runs in `model(*inputs)`, by its name, for the whole batch."""
    ### BEGIN SOLUTION
    ordinary = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
    counts: dict[str, int] = {}

    def hook(name, layer, given, output):
        if isinstance(layer, transposed):
            places = given[0].numel() // layer.in_channels
        elif isinstance(layer, ordinary):
            places = output.numel() // layer.out_channels
        else:
            places = output.numel() // layer.out_features
        counts[name] = counts.get(name, 0) + places * layer.weight.numel()

    handles = [
        layer.register_forward_hook(partial(hook, name))
        for name, layer in model.named_modules()
        if isinstance(layer, (*ordinary, *transposed, nn.Linear))
    ]
    try:
        with torch.no_grad():
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return counts
    ### END SOLUTION


# %% check="0.4"
lab.check("0.4", count_macs)

# %% [markdown]
# It agrees with `measure` on the generator. Now the harder customers. Your counter sees *modules that are called*.
# `measure` sits one level lower, where PyTorch dispatches *operators*, so it sees everything that computes.

# %%
from efficientlab.kernels import kernel_map, occupied_voxels, sparse_conv
from efficientlab.models.gan.cyclegan import CycleGANGenerator

lab.needs("0.4")
torch.manual_seed(0)


class Tied(nn.Module):
    """The weights of a layer, used by another one as well, as language models do."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 64)

    def forward(self, x):
        return F.linear(self.layer(x), self.layer.weight.t())


class Correlation(nn.Module):
    """Every pixel of one feature map against every pixel of another: no layer, one product."""

    def forward(self, x):
        return torch.einsum("nci,ncj->nij", x.flatten(2), x.flatten(2))


class SparseLayer(nn.Module):
    """A 3³ convolution over occupied voxels only, with an operator of this package."""

    def __init__(self, voxels):
        super().__init__()
        self.pairs = kernel_map(voxels, voxels, 3)
        self.weight = nn.Parameter(torch.randn(27, 16, 32))

    def forward(self, x):
        return sparse_conv(x, self.weight, self.pairs)


voxels = occupied_voxels(torch.randint(0, 12, (400, 4)) * torch.tensor([0, 1, 1, 1]))
encoder = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True).eval()
sequence, picture = torch.randn(2, 50, 64), torch.randn(1, 32, 12, 12)
customers = {
    "CycleGAN's generator": (CycleGANGenerator(8, 2).eval(), torch.randn(1, 3, 32, 32)),
    "one layer, called twice": (nn.Sequential(*[nn.Conv2d(32, 32, 3, padding=1)] * 2), picture),
    "tied weights": (Tied(), sequence),
    "attention layer": (nn.MultiheadAttention(64, 4, batch_first=True).eval(), sequence, sequence, sequence),
    "transformer layer, inference": (encoder, sequence),
    "LSTM": (nn.LSTM(64, 64, batch_first=True), sequence),
    "correlation of two maps": (Correlation(), picture),
    "sparse convolution": (SparseLayer(voxels), torch.randn(len(voxels), 16)),
}
seen = {}
print(f"{'':30}{'your counter':>14}{'measure':>14}")
for name, (model, *inputs) in customers.items():
    mine, full = sum(count_macs(model, *inputs).values()), measure(model, *inputs, time=False)
    assert full.complete and mine <= full.macs
    seen[name] = mine / full.macs
    print(f"{name:30}{mine:>14,}{full.macs:>14,}")
assert seen["CycleGAN's generator"] == seen["one layer, called twice"] == 1
assert seen["tied weights"] == 0.5
assert all(seen[name] == 0 for name in ("LSTM", "correlation of two maps", "sparse convolution"))

# %%
from efficientlab.viz.costs import shares_seen

lab.needs("0.4")
shares_seen(seen)
plt.show()

# %% [markdown]
# What is missing is silently zero, and that is the worst a meter can do. A counter can be incomplete; it must not hide it.
# `measure` does not know every operator either. What it has no formula for it names, and then it labels the total:

# %%
unknown = measure(lambda x: torch.linalg.inv(x @ x.mT), torch.eye(64), time=False)
print(unknown)
assert not unknown.complete

# %% [markdown]
# ## 4 · Bytes
#
# Arithmetic needs numbers, and numbers come from memory. Moving one is often dearer than multiplying it: in time, and
# in energy. A rough table for a chip of 45 nm ([Horowitz 2014](https://doi.org/10.1109/ISSCC.2014.6757323)) puts a MAC in
# fp32 at 4.6 pJ and a byte from DRAM at 160 to 325 pJ.
#
# The least that an operator must move is this: each operand is read once, each result is written once. What a real run
# moves can be more (when caches are too small) or less (when a result is still in a cache). The ratio of work to traffic
# is the **arithmetic intensity**
#
# $$ I = \frac{\text{FLOPs}}{\text{bytes read} + \text{bytes written}}, \qquad \text{FLOPs} = 2 \cdot \text{MACs}. $$

# %% [markdown] exercise="0.5"
# Write the MACs, the bytes read and the bytes written of five operators on a feature tensor of shape $(N, C, S, S)$,
# whose numbers have `itemsize` bytes. No biases.
#
# | name | what it does |
# |---|---|
# | `"ReLU"` | $y = \max(x, 0)$ |
# | `"residual sum"` | $z = x + y$, all three of the same shape |
# | `"depthwise 3×3"` | $g = C$, keeps the size |
# | `"conv 1×1"` | from $C$ to $C$ channels |
# | `"conv 3×3"` | from $C$ to $C$ channels, keeps the size |
#
# <details><summary>Hint 1 · nudge</summary>
#
# Which of them read something besides $x$?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Let `features` be the bytes of one feature tensor and `image_macs` the MACs per weight. The weights are read, too; they
# do not grow with the batch.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# MACs are $N S^2 |w|$ with $|w|$ = $9C$, $C^2$ and $9C^2$. The weights have $|w| \cdot$ `itemsize` bytes.
# </details>


# %% exercise="0.5"
def op_costs(n, c, side, itemsize) -> dict[str, tuple[int, int, int]]:
    """(MACs, bytes read, bytes written) of each of the five operators, for the whole batch.

    n: N; c: C; side: S; itemsize: bytes of one number, 4 for fp32.
    """
    ### BEGIN SOLUTION
    features = n * c * side**2 * itemsize

    def conv(weights):
        return n * side**2 * weights, features + weights * itemsize, features

    return {
        "ReLU": (0, features, features),
        "residual sum": (0, 2 * features, features),
        "depthwise 3×3": conv(9 * c),
        "conv 1×1": conv(c * c),
        "conv 3×3": conv(9 * c * c),
    }
    ### END SOLUTION


# %% check="0.5"
lab.check("0.5", op_costs)

# %% [markdown]
# The same five, as the counter sees them. Every byte must agree.

# %%
lab.needs("0.5")
n, c, side = P.ops["n"], P.ops["c"], P.ops["side"]
map_a, map_b = (torch.randn(n, c, side, side, device=P.device) for _ in range(2))  # (N, C, S, S)
taps = {
    name: torch.randn(*shape, device=P.device) / prod(shape[1:]) ** 0.5
    for name, shape in (("depthwise", (c, 1, 3, 3)), ("1×1", (c, c, 1, 1)), ("3×3", (c, c, 3, 3)))
}
operators = {
    "ReLU": lambda x: F.relu(x),
    "residual sum": lambda x: x + map_b,
    "depthwise 3×3": lambda x: F.conv2d(x, taps["depthwise"], padding=1, groups=c),
    "conv 1×1": lambda x: F.conv2d(x, taps["1×1"]),
    "conv 3×3": lambda x: F.conv2d(x, taps["3×3"], padding=1),
}
assert tuple(operators) == OPS
mine = op_costs(n, c, side, itemsize=4)
costs = {name: measure(operator, map_a, time=False) for name, operator in operators.items()}
print(f"{'':15}{'M MACs':>10}{'MB read':>10}{'MB written':>12}{'FLOP/byte':>11}")
for name, cost in costs.items():
    assert tuple(mine[name]) == (cost.macs, cost.bytes_read, cost.bytes_written), name
    print(
        f"{name:15}{cost.macs / 1e6:>10.1f}{cost.bytes_read / 1e6:>10.2f}{cost.bytes_written / 1e6:>12.2f}"
        f"{cost.intensity:>11.2f}"
    )

# %% [markdown] exercise="0.6"
# Which of the five are **memory-bound** on your machine: limited by moving bytes, and not by arithmetic? Write a
# dictionary `memory_bound` from each name in `OPS` to `True` or `False`, before you measure. Whether you are right is not
# graded. That you decide is.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Which column of the table above decides this?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# In the time in which one byte arrives, one core of a CPU does some five to fifteen FLOPs, a GPU ten to some hundreds,
# by the format of its numbers.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Compare each operator's FLOP/byte with your guess of what your machine can do.
# </details>

# %% exercise="0.6"
### BEGIN SOLUTION
memory_bound = {
    "ReLU": True,
    "residual sum": True,
    "depthwise 3×3": True,
    "conv 1×1": False,  # near the edge
    "conv 3×3": False,
}
### END SOLUTION

# %% check="0.6"
lab.check("0.6", memory_bound)
lab.lock("memory-bound (1 is yes)", {name: int(yes) for name, yes in memory_bound.items()})

# %% [markdown]
# ## 5 · A clock that can be believed
#
# Timing looks like the easiest measurement of all: look at the clock, run, look again. Three things go wrong.
#
# - **The first calls are slower.** Libraries load, memory is fetched from the system, algorithms are chosen.
# - **Devices work asynchronously.** A GPU takes the order and returns at once; the clock then shows how long it took to
#   *ask*. One has to wait until the work is done (*synchronise*) before one looks at the clock, both times.
# - **One run is one draw.** Other programs, clock rates and caches make times vary, nearly always upwards. A median does not
#   care for a few outliers; quartiles show the spread.

# %% [markdown] exercise="0.7"
# Write the meter. `run()` starts the work, `synchronise()` waits until the device has done everything, `clock()` gives
# seconds. Call `run` `warmup` times without timing it; then time `runs` calls one by one. Return a dictionary with the
# `median`, and the quartiles `low` and `high` (as `Tensor.quantile` computes them at 0.25 and 0.75), in seconds.
#
# The device may still be busy with older work when your function is called, also if `warmup` is 0.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Between the two looks at the clock there must be exactly one piece of work: all of it, and nothing older.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# For each timed call: synchronise, look, run, synchronise, look.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Collect the differences in a list, and make `torch.tensor(samples, dtype=torch.float64)` of it. For an even number of
# samples `Tensor.median` takes the lower of the two in the middle; `quantile(0.5)` is what is wanted.
# </details>


# %% exercise="0.7"
def median_latency(run, synchronise, clock=time.perf_counter, warmup=3, runs=15) -> dict[str, float]:
    """Seconds that one `run()` takes: `median`, and the quartiles `low` and `high`."""
    ### BEGIN SOLUTION
    for _ in range(warmup):
        run()
    samples = []
    for _ in range(runs):
        synchronise()
        start = clock()
        run()
        synchronise()
        samples.append(clock() - start)
    seconds = torch.tensor(samples, dtype=torch.float64)
    low, median, high = seconds.quantile(torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)).tolist()
    return {"median": median, "low": low, "high": high}
    ### END SOLUTION


# %% check="0.7"
lab.check("0.7", median_latency)

# %% [markdown]
# Now leave out one precaution at a time, and see what the clock says. Every trial takes a convolution of a new size, so that
# each has a first call of its own, and compares with the careful measurement of the same convolution, made right after.
#
# On a GPU the device is the real one. A CPU works synchronously, so without a GPU the next cell **simulates** an
# asynchronous device: a second thread takes the work out of a queue, and `run` returns at once. The work and the times are
# real; the queue is what a GPU's driver would have.

# %%
from concurrent.futures import ThreadPoolExecutor

lab.needs("0.7")


class Queue:
    """A device that works while Python goes on: another thread."""

    def __init__(self, work):
        self.work, self.thread, self.waiting = work, ThreadPoolExecutor(1), []

    def run(self):
        self.waiting.append(self.thread.submit(self.work))

    def synchronise(self):
        for piece in self.waiting:
            piece.result()
        self.waiting.clear()


def device_for(work):
    """(run, synchronise) on the GPU, or on its stand-in."""
    if P.device == "cuda":
        return work, torch.cuda.synchronize
    queue = Queue(work)
    return queue.run, queue.synchronise


def nothing():
    """In place of `synchronise`."""


def trial(number):
    """Seconds by each way of timing, for a convolution of a size that has not run before."""
    layer = nn.Conv2d(24 + number, 48, 3, padding=1).to(P.device)
    images = torch.randn(P.clock_batch, 24 + number, 40 + number, 40, device=P.device)

    def work():
        with torch.inference_mode():
            layer(images)

    run, synchronise = device_for(work)
    seconds = {"no warm-up, one run": median_latency(run, synchronise, warmup=0, runs=1)["median"]}
    careful = median_latency(run, synchronise)["median"]
    seconds["no synchronisation"] = median_latency(run, nothing)["median"]
    seconds["one run"] = median_latency(run, synchronise, runs=1)["median"]
    seconds["careful, again"] = median_latency(run, synchronise)["median"]
    return {name: value / careful for name, value in seconds.items()}


trials = [trial(number) for number in range(P.trials)]
ratios = {name: [one[name] for one in trials] for name in trials[0]}
print(f"{'':22}{'lowest':>9}{'median':>9}{'highest':>9}   times the careful measurement")
for name, values in ratios.items():
    low, middle, high = torch.tensor(values).quantile(torch.tensor([0.0, 0.5, 1.0])).tolist()
    print(f"{name:22}{low:>9.3f}{middle:>9.3f}{high:>9.3f}")
assert torch.tensor(ratios["no synchronisation"]).median() < 0.5

# %%
from efficientlab.viz.costs import careless_clocks

lab.needs("0.7")
careless_clocks(ratios)
plt.show()

# %% [markdown]
# Without synchronisation the clock shows the time to put work into a queue: a number that looks like a triumph. The first
# call has shown what it costs to start. And *careful, again* shows what is left: on a machine that does other things as
# well, even a careful median moves. So this series never compares milliseconds of two different moments. It times
# contestants in turn, round by round in one process, and gives the **ratio** with an interval. That is what `compare` does.
#
# One trap remains on a busy CPU. Programs take turns of a few milliseconds. A short run fits between two turns of others,
# a long one never does, so that the *ratio* of a long one to a short one is biased, however often they are timed. The
# operating system keeps another clock, which only counts the time that the processor spent on this process. For work that
# one thread does, it is the fairer one, and below the contestants are timed with it. On a GPU it would be wrong: the work
# is not done by this process.
#
# And memory itself takes time. The C library gives large freed blocks back to the system and asks for new ones, which the
# system clears page by page; that can take longer than the operator that fills them. Glibc keeps blocks as large as any
# that it has seen freed, up to 32 MiB. So the cell below frees one of 31 MiB.

# %%
from efficientlab.counters import processor_time

TIMER = processor_time if P.device == "cpu" else None  # None: `compare` takes the clock that fits the device
block = torch.empty(31 * 2**20, dtype=torch.uint8)
del block

# %% [markdown]
# ## 6 · The roofline
#
# A device has a peak rate $F$ (FLOP/s) and a memory bandwidth $B$ (bytes/s). If arithmetic and traffic overlap
# perfectly, an operator takes as long as the slower of the two
# ([Williams, Waterman and Patterson 2009](https://doi.org/10.1145/1498765.1498785)):
#
# $$ t = \max\left(\frac{\text{FLOPs}}{F}, \frac{\text{bytes}}{B}\right), \qquad
# \text{rate} = \frac{\text{FLOPs}}{t} = \min(F,\; I \cdot B). $$
#
# Where both are equal is the **ridge**, $I = F/B$. Left of it an operator is bound by *memory*, right of it by *compute*.
# A device at its peaks does no better than this, as long as all data comes from main memory; most things are slower.

# %% [markdown] exercise="0.8"
# Write the roofline: a dictionary with `intensity` ($I$, FLOP/byte), `ridge` (FLOP/byte), `bound` (`"memory"` or
# `"compute"`), `seconds` (the least time $t$) and `rate` (the FLOP/s that can be reached). An operator may have 0 MACs.
#
# <details><summary>Hint 1 · nudge</summary>
#
# The function is given MACs. The formulas speak of FLOPs.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Five lines, in the order: FLOPs, intensity, ridge, seconds, rate.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `"memory" if intensity < ridge else "compute"`.
# </details>


# %% exercise="0.8"
def roof(macs, moved, flops_per_second, bytes_per_second) -> dict[str, float | str]:
    """Intensity, ridge, bound, least seconds and attainable rate of an operator on a device.

    macs: multiply-accumulates; moved: bytes read and written; the device's two roofs.
    """
    ### BEGIN SOLUTION
    flops = 2 * macs
    intensity = flops / moved
    ridge = flops_per_second / bytes_per_second
    return {
        "intensity": intensity,
        "ridge": ridge,
        "bound": "memory" if intensity < ridge else "compute",
        "seconds": max(flops / flops_per_second, moved / bytes_per_second),
        "rate": min(flops_per_second, intensity * bytes_per_second),
    }
    ### END SOLUTION


# %% check="0.8"
lab.check("0.8", roof)

# %% [markdown]
# Measure the two roofs of this machine: a large copy, and a large matrix product. Then time the five operators against each
# other, and ask for each how much of either roof it reached.

# %% tags=["result"]
from efficientlab.counters import compare, roofline
from efficientlab.viz.costs import shares_of_the_roofs

lab.needs("0.5", "0.6", "0.8")
machine = roofline(P.device)
print(machine)
with torch.inference_mode():
    timing = compare(
        {name: partial(operator, map_a) for name, operator in operators.items()}, rounds=P.rounds, timer=TIMER
    )
reached = {}
print(f"\n{'':15}{'FLOP/byte':>10}{'bound':>10}{'predicted':>11}{'least':>12}{'measured':>12}")
for name, cost in costs.items():
    mine = roof(cost.macs, cost.bytes_moved, machine.flops_per_second, machine.bytes_per_second)
    seconds = timing[name].median
    reached[name] = (
        cost.flops / seconds / machine.flops_per_second,
        cost.bytes_moved / seconds / machine.bytes_per_second,
    )
    prediction = "memory" if memory_bound[name] else "compute"
    print(
        f"{name:15}{mine['intensity']:>10.2f}{mine['bound']:>10}{prediction:>11}"
        f"{1e3 * mine['seconds']:>9.2f} ms{1e3 * seconds:>9.2f} ms"
    )
    assert mine["bound"] == machine.bound(cost)
shares_of_the_roofs(reached)
plt.show()

# %% [markdown]
# Read the bars in pairs. Where the right bar is the higher one, traffic was nearer to its limit than arithmetic. An operator
# whose two bars are both low is *below* both roofs: its implementation does not keep either part of the machine busy. The
# roofline is a bound, not a promise.
#
# Is a time *below* the least one? The two roofs are measurements, too: a large copy and a large matrix product. An operator
# that reads more than it writes, or finds a part of its tensor in a cache, can be faster than the copy.
#
# Now whole networks. Each layer of CycleGAN's generator has an intensity of its own; the whole has their mean,
# weighted by bytes. The one-row linear layer does two FLOPs for each weight that it reads, so it lies far to the left. Is it
# above the roof on your machine? Then its weights, 4 MB, have stayed in a cache from one run to the next, and caches are
# faster than the memory whose roof this is.

# %%
from dataclasses import replace

from efficientlab.counters import latency, plot_roofline
from efficientlab.models.gan.cyclegan import CycleGANGenerator
from efficientlab.models.video.resnet import SmallResNet

lab.needs("0.5", "0.6", "0.8")
torch.manual_seed(0)
subjects = {
    "depthwise 3×3": (operators["depthwise 3×3"], map_a),
    "conv 1×1": (operators["conv 1×1"], map_a),
    "conv 3×3": (operators["conv 3×3"], map_a),
    "linear layer, one row": (nn.Linear(1024, 1024).to(P.device), torch.randn(1, 1024, device=P.device)),
    "small ResNet": (SmallResNet().eval().to(P.device), torch.randn(16, 3, 32, 32, device=P.device)),
    "CycleGAN's generator": (
        CycleGANGenerator(32, 3).eval().to(P.device),
        torch.randn(1, 3, P.generator_side, P.generator_side, device=P.device),
    ),
}
with torch.inference_mode():
    placed = {
        name: replace(measure(model, inputs, time=False), latency=latency(model, inputs, timer=TIMER))
        for name, (model, inputs) in subjects.items()
    }
plot_roofline(machine, placed)
plt.show()

# %% [markdown]
# What moves a convolution to the left, to the memory-bound side? Move the sliders and find out. (A hollow dot lies where the
# convolution could be at best. It is not timed.)

# %%
from efficientlab.viz.explore import explore

lab.needs("0.5", "0.6", "0.8")


def where_it_lies(channels, kernel, groups, side):
    """One convolution on this machine's roofline, for one image of side × side pixels."""
    with torch.device("meta"):
        layer = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=groups, bias=False)
        cost = measure(layer, torch.empty(1, channels, side, side), time=False)
    figure, ax = plt.subplots(figsize=(6, 3.3))
    plot_roofline(machine, {f"{kernel}×{kernel}, {channels} channels, {groups} groups": cost}, ax)
    return figure


explore(
    where_it_lies,
    channels=(64, 16, 32, 128, 256),
    kernel=(3, 1, 5),
    groups=(16, 1, 2, 4, 8),
    side=(56, 7, 14, 28),
)

# %% [markdown]
# ## 7 · Half the MACs, half the time?
#
# A convolution with two groups does half the MACs: each output channel reads half of the input channels. With $g$ groups it
# is $1/g$. What about time? Three layers, with one to eight groups, each timed against itself with one group. The margin of the assertion
# below the table is wide, because processors differ; `benchmarks/results/lab0-runs.json` keeps five runs on one of them.

# %%
from efficientlab.viz.costs import time_against_macs

lab.needs("0.2")
torch.manual_seed(0)
GROUPS = (1, 2, 4, 8)
shares, times, bytes_moved, intensities = {}, {}, {}, {}
for name, (images, channels, edge, k) in P.groups.items():
    batch = torch.randn(images, channels, edge, edge, device=P.device)
    weights = {g: torch.randn(channels, channels // g, k, k, device=P.device) / channels for g in GROUPS}
    run = {str(g): partial(F.conv2d, batch, w, padding=k // 2, groups=g) for g, w in weights.items()}
    macs = [conv_macs((edge, edge), channels, channels, (k, k), padding=k // 2, groups=g) for g in GROUPS]
    moved = [2 * batch.nbytes + w.nbytes for w in weights.values()]
    with torch.inference_mode():
        timing = compare(run, baseline="1", rounds=P.rounds, timer=TIMER)
    shares[name] = [m / macs[0] for m in macs]
    bytes_moved[name] = [b / moved[0] for b in moved]
    intensities[name] = [2 * images * m / b for m, b in zip(macs, moved, strict=True)]  # FLOP/byte
    times[name] = [timing.ratio[str(g)] for g in GROUPS]

# %% tags=["result"]
lab.needs("0.2", "0.7")
print(
    f"{'':20}{'groups':>7}{'MACs':>8}{'bytes':>8}{'FLOP/byte':>11}    time, ratio to one group [95 % interval]"
)
for name, ratio in times.items():
    columns = zip(GROUPS, shares[name], bytes_moved[name], intensities[name], ratio, strict=True)
    for g, share, moved, intensity, t in columns:
        print(f"{name:20}{g:>7}{share:>8.3f}{moved:>8.3f}{intensity:>11.1f}    {t}")
assert all(share[1] == 0.5 for share in shares.values())
assert max(intensities, key=intensities.get) == "3×3, 128 channels"
assert times["1×1, 64 channels"][1].above(0.6)

# %% tags=["cover"]
lab.needs("0.2", "0.7")
time_against_macs(next(iter(shares.values())), times, [f"{g} groups" if g > 1 else "1 group" for g in GROUPS])
plt.show()

# %% [markdown] exercise="0.9"
# Answer in a few sentences each, with numbers from this notebook:
#
# 1. Half the MACs (two groups) is not half the time. Take the 1×1 layer, and explain what its time consists of, with the
#    columns of the table above and with the roofline. On some processors it takes even longer than with one group. Why can it?
# 2. The 3×3 layer with many channels comes closest to the diagonal. Why that one?
# 3. A paper says: "our layer has 4× fewer FLOPs, so it is 4× faster". Which two measurements do you ask for?

# %% [markdown] answer="0.9"
# 1. Two groups halve the multiplications, but the input is read and the output written as before: the bytes of the 1×1 layer
#    hardly change (its weights are a small part of them). So its intensity halves, as the column FLOP/byte shows, and it moves
#    towards the memory-bound side; where the ridge now lies to the right of it, the bytes set the time. What is left are two smaller matrix products instead of
#    one, which use the processor less well: the library has to split or rearrange channels. That extra work can exceed the MACs
#    saved.
# 2. It has the highest intensity: nearly nine times the MACs per byte of a 1×1 layer as wide, and more channels in each
#    product. It is bound by compute, so fewer MACs are less time, and products with 64 channels in a group still fill the processor.
# 3. The latency of both on a named device, measured alternately with warm-up and synchronisation and with an interval; and the
#    bytes moved (or the place on that device's roofline), to see whether FLOPs set the pace at all.
#
# === BEGIN MARK SCHEME ===
# 8 points. (1) 4 points: bytes unchanged, cited (1); lower intensity, towards or beyond the ridge (1); smaller products or rearranged data
# use the processor less well (1); a measured ratio with its interval (1). (2) 2 points: highest intensity, so compute-bound.
# (3) 2 points: a latency ratio with its method (1), traffic or intensity on that device (1).
# === END MARK SCHEME ===

# %% [markdown]
# ## 8 · Further: where there is something to save
#
# The series has one idea: *keep what the task needs, and do not compute densely where the data is redundant or empty*. How
# redundant is real data? Three measurements, all in the same currency: how much do you know before you look?
#
# **In an image**, a pixel looks like its neighbours. Keep one number out of 4, 16, 64 (the mean of a square), guess the rest
# by interpolation, and ask how much of the variance of the image is explained, from 0 (no better than its mean colour) to 1.

# %% tags=["result"]
from efficientlab.datasets.video.backgrounds import load_backgrounds
from efficientlab.viz.redundancy import picture_row, variance_explained


def explained(guess, truth):
    """Share of the variance of `truth` over its pixels that `guess` explains; shapes (…, 3, H, W)."""
    spread = truth - truth.mean((-2, -1), keepdim=True)
    return 1 - ((guess - truth).square().mean() / spread.square().mean()).item()


def coarse(picture, k):
    """`picture` (3, H, W) from the means of squares of k × k pixels alone."""
    small = F.avg_pool2d(picture[None], k)
    return F.interpolate(small, size=picture.shape[1:], mode="bicubic", align_corners=False)[0]


films = {
    name: torch.tensor(clip).permute(0, 3, 1, 2) / 255 for name, clip in load_backgrounds()
}  # (F, 3, H, W)
SQUARES = (1, 2, 4, 8)
known = {name: [explained(coarse(film[0], k), film[0]) for k in SQUARES] for name, film in films.items()}
sixteenth = torch.tensor([values[2] for values in known.values()])
print(
    f"a sixteenth of the numbers explains {100 * sixteenth.mean():.0f} % of the variance, "
    f"{100 * sixteenth.min():.0f} to {100 * sixteenth.max():.0f} % in {len(known)} pictures"
)
assert sixteenth.mean() > 0.7
kept = ["all" if k == 1 else f"1/{k * k}" for k in SQUARES]
picture_row(
    {f"{share} of the numbers": coarse(films["coffee"][0], k) for share, k in zip(kept, SQUARES, strict=True)}
)
plt.show()

# %%
variance_explained(known, kept, "share of the numbers that are kept")
plt.show()

# %% [markdown]
# **In a video**, a frame looks like the one before. Take the frame $d$ frames ago as the guess. (*coffee* and *cat* are
# computed camera moves over photographs; they stay out. *bunny*, *sky* and *trunk* are from *Big Buck Bunny*,
# © Blender Foundation, CC BY 3.0.) Below 0, the guess is worse than the mean colour.

# %% tags=["result"]
AGO = (1, 2, 4, 8, 16, 32)
videos = {name: film for name, film in films.items() if name not in ("coffee", "cat")}
remembered = {name: [explained(film[:-d], film[d:]) for d in AGO] for name, film in videos.items()}
before = torch.tensor([values[0] for values in remembered.values()])
print(
    f"the frame before explains {100 * before.mean():.0f} % of the variance, "
    f"{100 * before.min():.0f} to {100 * before.max():.0f} % in {len(videos)} videos"
)
assert before.mean() > 0.8
variance_explained(remembered, [str(d) for d in AGO], "frames ago")
plt.show()

# %% [markdown]
# **In a LiDAR scan**, most of space is empty. Cut the box around a scan into voxels and ask which hold a point. The four
# scans are real, from Ouster's sensors. A dense 3³ convolution computes every voxel. A sparse one computes occupied voxels,
# for those neighbours that are occupied as well; the map of pairs says how many there are.

# %% tags=["result"]
from efficientlab import kernels
from efficientlab.datasets.points.scans import load_scan, scan_names
from efficientlab.viz.redundancy import occupied_shares, scan_pictures

SIZES = (0.1, 0.2, 0.4, 0.8)  # metres
scans = {name: load_scan(name) for name in scan_names()}


def voxelise(points, size):
    """(V, 4) occupied voxels of a scan, and how many its box has; 1 % of the points on each side lie outside."""
    low, high = points.quantile(torch.tensor([0.01, 0.99]), dim=0)
    inside = points[((points >= low) & (points <= high)).all(1)]
    index = ((inside - low) / size).floor().long()
    voxels = kernels.occupied_voxels(F.pad(index, (1, 0)))  # (V, 4): batch 0, x, y, z
    return voxels, prod(((high - low) / size).ceil().long().tolist())


occupied, saved = {}, {}
print(
    f"{'':10}{'points':>9}{'voxels of 0.2 m':>17}{'occupied':>11}{'pairs a voxel':>15}{'MACs, dense/sparse':>20}"
)
for name, scan in scans.items():
    points = torch.from_numpy(scan.points)
    occupied[name] = []
    for size in SIZES:
        voxels, box = voxelise(points, size)
        occupied[name].append(len(voxels) / box)
        if size == 0.2:
            pairs = sum(kernels.kernel_map(voxels, voxels, 3).counts)
            saved[name] = 27 * box / pairs
            share = f"{100 * len(voxels) / box:.2f} %"
            print(
                f"{name:10}{len(points):>9,}{box:>17,}{share:>11}{pairs / len(voxels):>15.1f}{saved[name]:>20,.0f}"
            )
assert min(saved.values()) > 200
scan_pictures(scans["lot"].distances, scans["lot"].points)
plt.show()

# %%
occupied_shares(occupied, SIZES)
plt.show()

# %% [markdown]
# All three say the same: much of what a dense network computes was known before, or was never there. The labs that follow
# turn each of them into MACs, and then into time.
#
# ## 9 · Further: kernel corner
#
# An operator that moves its bytes as fast as memory allows gets faster by moving fewer of them, and in no other way. At inference, a batch norm followed by a
# ReLU is $y = \max(a_c x + b_c, 0)$ with a scale $a_c$ and a shift $b_c$ for each channel $c$. Written in PyTorch, that is
# three operators: each reads a feature tensor and writes one, and the values in between go to memory and back for nothing.


# %% tags=["nbval-check-output"]
def unfused(x, scale, shift):
    """Three passes; x (N, C, H, W), scale and shift (C,)."""
    return F.relu(x * scale[:, None, None] + shift[:, None, None])


with torch.device("meta"):
    features, per_channel = torch.empty(8, 64, 56, 56), torch.empty(64)
passes = measure(unfused, features, per_channel, per_channel, time=False)
once = 2 * features.nbytes + 2 * per_channel.nbytes
print(f"three passes move {passes.bytes_moved / 1e6:.1f} MB, one pass {once / 1e6:.1f} MB")
print(f"that is {passes.bytes_moved / once:.2f} times as much")
assert 2.9 < passes.bytes_moved / once < 3.1

# %% [markdown]
# [Triton](https://triton-lang.org/main/getting-started/tutorials/01-vector-add.html) kernels are written in Python. Many
# copies of the function, *programs*, run at once. `tl.program_id(0)` says which one this is. `tl.arange(0, BLOCK)` is a
# vector of numbers 0 … BLOCK − 1. `tl.load(pointer + offsets, mask=…)` reads a vector of numbers from memory where the mask
# is true; `tl.store(pointer + offsets, values, mask=…)` writes there. Without a GPU, Triton's interpreter runs the same
# kernel in Python: slow, and exact.

# %% [markdown] exercise="0.10"
# Write $y = \max(a_c x + b_c, 0)$ as one kernel. The tensor is contiguous, $(N, C, H, W)$, so it is a list of $N \cdot C$
# *rows* of `pixels` = $H \cdot W$ numbers. Program `(row, block)` reads and writes `BLOCK` numbers of one row, beginning with
# number `block · BLOCK`. The last block of a row may be partly outside: mask it.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Which channel does row number `row` belong to, if there are several images?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `row % channels` is the channel. A load without a vector of offsets gives one number: `tl.load(scale_ptr + channel)`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)`, its mask is `pixel < pixels`, and its place in memory is
# `row * pixels + pixel`. `tl.maximum(value, 0.0)` is the ReLU.
# </details>

# %% exercise="0.10"
from efficientlab.exercises.kernel_corner import tl, triton  # Triton itself, where it is installed


@triton.jit
def activation_kernel(x_ptr, scale_ptr, shift_ptr, y_ptr, channels, pixels, BLOCK: tl.constexpr):
    """One program writes BLOCK numbers of one row (one channel of one image) of y."""
    ### BEGIN SOLUTION
    row = tl.program_id(0)
    channel = row % channels
    scale = tl.load(scale_ptr + channel)
    shift = tl.load(shift_ptr + channel)
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    valid = pixel < pixels
    value = tl.load(x_ptr + row * pixels + pixel, mask=valid)
    tl.store(y_ptr + row * pixels + pixel, tl.maximum(value * scale + shift, 0.0), mask=valid)
    ### END SOLUTION


# %% check="0.10"
lab.check("0.10", activation_kernel)

# %% [markdown]
# On a GPU, the next cell times it against the three passes. In the interpreter a time would say nothing, so it is not taken.

# %%
if torch.cuda.is_available() and "0.10" in lab.passed:
    x = torch.randn(64, 64, 112, 112, device="cuda")
    scale, shift = torch.randn(2, 64, device="cuda")
    y, pixels = torch.empty_like(x), x.shape[2] * x.shape[3]
    grid = (x.shape[0] * x.shape[1], -(-pixels // 1024))

    def fused():
        activation_kernel[grid](x, scale, shift, y, x.shape[1], pixels, BLOCK=1024)

    fused()
    assert torch.allclose(y, unfused(x, scale, shift), atol=1e-5)
    print(compare({"three passes": lambda: unfused(x, scale, shift), "one kernel": fused}))
else:
    print("no GPU, or no kernel yet: nothing to time")

# %% [markdown]
# ## What you have passed

# %%
lab.summary()

# %% [markdown]
# ## What to take with you
#
# - MACs are places times weights. For a transposed convolution the places are the input's.
# - A counter on modules misses what is not a module. Ask a counter what it could *not* count.
# - MACs without bytes predict nothing. The roofline says which of them matters; it is a bound, not a promise.
# - A time is a ratio, taken in turn, with warm-up, synchronisation and an interval.
# - Real data is redundant in space and time, and empty in three dimensions. That is what the next labs live on.
#
# **Further reading.** [Roofline](https://doi.org/10.1145/1498765.1498785) · [energy per operation](https://doi.org/10.1109/ISSCC.2014.6757323)
# · [CycleGAN](https://arxiv.org/abs/1703.10593) · [GAN Compression](https://arxiv.org/abs/2003.08936) ·
# [ShuffleNet V2](https://arxiv.org/abs/1807.11164), which argues against FLOPs as the only measure.
