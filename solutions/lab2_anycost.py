# %% [markdown]
# # Lab 2 · One generator, any budget
#
# You move a slider, and a face gets longer hair. You expect the picture to follow your hand. A good generator takes too
# long for that, and a small one paints somebody else. **AnyCost GAN**
# ([Lin et al., CVPR 2021](https://arxiv.org/abs/2103.03243)) is one generator that runs at any width and any size: while
# you drag, a cheap part of it paints a preview; when you let go, all of it paints the picture. In this lab you build
# that, and you find out when a preview can be trusted.
#
# **What you will have at the end.** Four results that your own code produces:
#
# 1. Sub-generators that are slices of one set of weights, and an order of channels that makes the slices better.
# 2. A training in which previews learn to agree with the final picture, measured with and without.
# 3. *Further:* a search that finds a configuration for any budget, judged against all that there are.
# 4. *Further:* a knob, sliders that edit a face with a preview under your hand.
#
# **How to work.** Read, write the code of an exercise, run the check below it. Hints unfold. If you are stuck, go on: a
# later section that needs the missing piece says so, and `lab.borrow` hands it out for no points. The **core path**,
# sections 1 to 5, takes about 90 minutes without the exercises that are marked *further* (2.4, 2.5). Sections 6 to 10 go
# further, too: a discriminator that knows, the search, editing, the knob, a Triton kernel. They have points of their own.
# Section 8 uses the generator that section 7 loads, and section 9 what both have found. The experiments take about four
# minutes on two CPU cores.
#
# | symbol | meaning |
# |---|---|
# | $N$ | pictures in a batch |
# | $C, H, W$ | channels, rows and columns of a feature tensor |
# | $z$ | a latent: 64 numbers, standard normal |
# | $w$ | what a small network, the *mapping*, makes of $z$: 64 numbers, in which attributes lie more nearly along lines |
# | $w_{oikl}$ | with indices: a layer's weight; $o$ counts its outputs, $i$ its inputs, $k, l$ the rows and columns of its kernel |
# | $s$ | a *style*: one factor for each input channel of a layer, an affine function of the $w$ without indices |
# | $G, D$ | the generator and the discriminator |
# | configuration | the number of channels that each layer uses |
# | MAC | one multiplication and one addition (1 MAC = 2 FLOPs) |

# %% tags=["prelude"]
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.exercises.lab2 import lab
from efficientlab.exercises.profile import choose_profile
from efficientlab.models.gan.anycost.configs import (
    CHOICES,
    FULL,
    JUDGED,
    SIZES,
    UNIFORM,
    Config,
    check_config,
    ratios_of,
)
from efficientlab.models.gan.anycost.generator import LATENT, AnycostGenerator, upsample

# %% [markdown]
# The numbers that set the size of the experiments stand here, once. `ci` is for a laptop's CPU, `colab` for one T4. Set
# the environment variable `EFFICIENTLAB_PROFILE` before you start Jupyter to choose another one.

# %%
PROFILES = {
    "ci": {
        "device": "cpu",
        "workers": 2,  # training runs at a time, one core each
        "steps": 300,  # of each training run
        "batch": 16,
        "lr": 1e-3,
        "average": 0.98,  # of the generator's weights over steps
        "samples": 500,  # to measure with
        "seeds": 1,
        "search_latents": 32,
        "population": 12,
        "generations": 4,
        "projection_steps": 100,
    },
    "colab": {
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "workers": 1,
        "steps": 3000,
        "batch": 32,
        "lr": 1e-3,
        "average": 0.995,
        "samples": 1000,
        "seeds": 3,
        "search_latents": 64,
        "population": 16,
        "generations": 5,
        "projection_steps": 300,
    },
}
P = choose_profile(PROFILES)
torch.set_num_threads(1)  # so that times do not depend on how many cores are idle

# %% [markdown]
# ## 1 · The problem: a picture that follows the hand
#
# The faces are drawings: "Custom Avatar" by
# [Ashley Seo](https://www.figma.com/community/file/881358461963645496), [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/),
# remixed by DiceBear and rasterised at 32 × 32 pixels. Hair, eyes, mouth, glasses and two colours were drawn independently
# of each other, and are known for each picture. That is what makes edits measurable.

# %%
import matplotlib.pyplot as plt

from efficientlab.counters import measure
from efficientlab.datasets.gan.avatars import load_avatars
from efficientlab.models.gan.anycost.pretrained import (
    load_anycost_discriminator,
    load_anycost_flexible,
    load_anycost_teacher,
)
from efficientlab.models.gan.attributes import to_pixels
from efficientlab.viz.gan.anycost import sample_rows
from efficientlab.viz.style import use_style

use_style()
train, val, test = (load_avatars(split) for split in ("train", "val", "test"))
reference = load_anycost_teacher().to(P.device)
THREE_QUARTERS, HALF, QUARTER = UNIFORM[2], UNIFORM[1], UNIFORM[0]  # configurations
NAMES = {"full": FULL, "¾": THREE_QUARTERS, "½": HALF, "¼": QUARTER}
PREVIEW = (QUARTER, 16)  # a configuration, and a size


def latents(n, seed):
    """n latents that follow from the seed alone: (n, 64)."""
    return torch.randn(n, LATENT, generator=torch.Generator().manual_seed(seed)).to(P.device)


@torch.inference_mode()
def samples(generator, n, config=FULL, size=32, seed=0):
    """n pictures, on the CPU: (n, 3, size, size). One seed, one set of people, whatever the configuration."""
    return torch.cat([generator(z, config, size).cpu() for z in latents(n, seed).split(100)])


print(
    f"{len(train.pictures):,} pictures to train on, {len(val.pictures):,} to choose with, {len(test.pictures):,} to test"
)
sample_rows({"real": to_pixels(val.pictures), "generated": samples(reference, 8)})
plt.show()

# %% [markdown]
# The generator is a small [StyleGAN2](https://arxiv.org/abs/1912.04958). It begins with a learnt constant of 4 × 4
# pixels. At each of the sizes 4, 8, 16 and 32 a *modulated convolution* works on the features, and a layer called *paint*
# (ToRGB) adds its part to the picture so far, which is enlarged from size to size:
#
# $$ x_4 = \text{conv}_4(\text{const}), \quad x_{2r} = \text{conv}_{2r}(\uparrow x_r), \qquad
#    y_4 = \text{paint}_4(x_4), \quad y_{2r} = \uparrow y_r + \text{paint}_{2r}(x_{2r}). $$
#
# $\uparrow$ doubles the size. So there is a picture at every size on the way. And every layer might use fewer channels. Two
# knobs, then: **size** and **width**.
#
# ## 2 · Slice
#
# A modulated convolution scales its weight for each picture, with that picture's style, and then scales each output so
# that it has unit variance again ($n$ counts the pictures, $*$ is the convolution):
#
# $$ w'_{noikl} = s_{ni}\, w_{oikl}, \qquad
#    d_{no} = \Big( \sum_{i,k,l} w'^2_{noikl} + 10^{-8} \Big)^{-1/2}, \qquad
#    y_{no} = d_{no} \sum_i w'_{noi} * x_{ni}. $$
#
# The first step is *modulation*, the second *demodulation*. A narrow layer uses the first channels of all of it. In which
# order? Let the full layer have 128 inputs, and the slice 32. If $d$ was computed over all 128, the slice's output has a
# quarter of the variance: a grey picture. **Slice first, then modulate, then demodulate.**

# %% [markdown] exercise="2.1"
# Write the sliced modulated convolution. `x` has the channels that it has; the weight and the style are the full ones. Use
# the first `x.shape[1]` inputs of both, and the first `width` outputs. Without `demodulate`, $d = 1$: the layers that paint
# do not demodulate.
#
# A weight for each picture is expensive. But a factor for an input channel may as well scale the *input*, and a factor for
# an output channel the *output*: then one weight serves the batch, in one `F.conv2d`. Pad so that $H$ and $W$ stay.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Which of the three tensors have a dimension of input channels?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# $\sum_{i,k,l} s_{ni}^2 w_{oikl}^2 = \sum_i s_{ni}^2 \big(\sum_{k,l} w_{oikl}^2\big)$: a product of two matrices.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `F.conv2d(x * style[:, :, None, None], weight, padding=weight.shape[2] // 2)`, then times
# `(style.square() @ weight.square().sum((2, 3)).T + 1e-8).rsqrt()`, with two more dimensions.
# </details>


# %% exercise="2.1"
def modulated_conv(x: Tensor, weight: Tensor, style: Tensor, width: int, demodulate: bool = True) -> Tensor:
    """The first `width` outputs of a modulated convolution of the channels that x has.

    Shapes: x (N, c, H, W), weight (o, i, k, k), style (N, i), c ≤ i, width ≤ o → (N, width, H, W).
    """
    ### BEGIN SOLUTION
    c = x.shape[1]
    weight, style = weight[:width, :c], style[:, :c]
    y = F.conv2d(x * style[:, :, None, None], weight, padding=weight.shape[2] // 2)  # (N, width, H, W)
    if demodulate:
        energy = style.square() @ weight.square().sum((2, 3)).T  # (N, width)
        y = y * (energy + 1e-8).rsqrt()[:, :, None, None]
    return y
    ### END SOLUTION


# %% check="2.1"
lab.check("2.1", modulated_conv)

# %% [markdown] exercise="2.2"
# Write the pass through a sub-generator. `config` holds the channels of the constant and then of each convolution;
# `size` says at which size to stop. What follows must not run: that is the saving. `upsample` is $\uparrow$.
#
# The layers are called as `conv(x, row, width)` and `paint(x, row, 3)`, where `x` (N, c, r, r) holds the features of each
# picture, and `row` (N, 64) the $w$ for this size. (For now all rows are the same; in section 8 they are not.) The constant
# is one for all pictures: begin with a copy for each. How many *inputs* a layer uses, its input says. The paint has three
# outputs at every width: red, green and blue.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Two things are carried from size to size: features, and the picture so far.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Walk through `rows`, `config[1:]`, `convs` and `paints` together. Both are enlarged before every size but the first.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Begin with `const[:, : config[0]].expand(len(rows[0]), -1, -1, -1)`. Keep each picture in a dictionary, and `break` when
# the size is reached.
# </details>


# %% exercise="2.2"
def sub_generator(const: Tensor, convs, paints, rows, config, size: int) -> dict[int, Tensor]:
    """The pictures of all sizes up to `size`: a dictionary, 4 → (N, 3, 4, 4), 8 → (N, 3, 8, 8), …

    const: (1, C, 4, 4); convs, paints: one layer a size; rows: one (N, 64) a size; config: the constant's channels, and
    each convolution's.
    """
    ### BEGIN SOLUTION
    x, picture, pictures, at = const[:, : config[0]].expand(len(rows[0]), -1, -1, -1), None, {}, 4
    for row, width, conv, paint in zip(rows, config[1:], convs, paints, strict=False):
        x = x if at == 4 else upsample(x)
        x = conv(x, row, width)  # (N, width, at, at)
        part = paint(x, row, 3)  # (N, 3, at, at)
        picture = part if picture is None else upsample(picture) + part
        pictures[at] = picture
        if at == size:
            break
        at *= 2
    return pictures
    ### END SOLUTION


# %% check="2.2"
lab.check("2.2", sub_generator)

# %% [markdown]
# From here on the generator is made of *your* convolution and *your* pass. `python -m
# efficientlab.training.gan.anycost.teacher` trained the weights: at full width and full size, and nothing else. What do its
# slices paint? A **uniform** ratio makes all layers narrower alike (section 4 says how exactly).


# %%
class Generator(AnycostGenerator):
    """The generator, built from your functions. No setting is left behind: the configuration comes with each call."""

    def __init__(self) -> None:
        super().__init__(modulated_conv)

    def pictures(self, w, config=FULL, size=32):
        check_config(config, size)
        rows = list(w.unbind(1)) if w.ndim == 3 else [w] * len(SIZES)
        return sub_generator(self.const, self.convs, self.paint, rows, config, size)


lab.needs("2.1", "2.2")
teacher = load_anycost_teacher(Generator).to(P.device)
with torch.inference_mode():
    w = teacher.mapping(latents(4, 0))
    whole = teacher.pictures(w)
    for size in SIZES:
        assert torch.equal(teacher.synthesise(w, size=size), whole[size])  # an early exit, bit by bit
    torch.testing.assert_close(teacher.synthesise(w), reference.synthesise(w), rtol=1e-4, atol=1e-4)
sample_rows(
    {
        **{f"32 px, {name}": samples(teacher, 6, config) for name, config in NAMES.items()},
        "16 px, full": samples(teacher, 6, size=16),
        "8 px, full": samples(teacher, 6, size=8),
    },
    6,
)
plt.show()

# %% [markdown]
# Nobody asked this network for small pictures or narrow layers, and so there are none. (At 8 px a picture is what the
# later layers happened to need.)
#
# ## 3 · Sort
#
# A slice takes the first channels. Are they the important ones? Only by chance. But the order of the channels in a layer
# means nothing: if a layer's outputs are put into another order, and every reader's inputs likewise, the network computes
# the same. So put the important ones first. How much a layer reads of its input channel $i$ is
#
# $$ a_i = \Big( \frac1M \sum_{m=1}^M |s_{mi}| \Big) \cdot g \sum_{o,k,l} |w_{oikl}| $$
#
# over $M$ latents, with $g$ the layer's `gain`, by which it multiplies its weights. A channel is read by the next
# convolution and by the paint of its size: add both.

# %% [markdown] exercise="2.3"
# Sort all channels in place, the most important first. A layer has `weight` (o, i, k, k), `bias` (o), `gain`, and
# `style`, a layer with `weight` (i, 64) and `bias` (i): `style(w)` maps codes to styles (M, i). Call it; it has a gain of its
# own.
#
# | channels | written by | read by |
# |---|---|---|
# | of the constant | `const` (1, C, 4, 4) | the first convolution |
# | of a convolution | its `weight` and `bias` | the next convolution, and the paint beside it |
# | of the last convolution | its `weight` and `bias` | the last paint |
#
# <details><summary>Hint 1 · nudge</summary>
#
# What has to move together, so that nothing changes? The writer's outputs and all that belongs to the reader's inputs.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# For each row of the table: importance from the readers, `order = importance.argsort(descending=True)`, then index every
# tensor concerned with `order`. Copy with `tensor.copy_(tensor[order])`, under `torch.no_grad()`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Of a reader: `weight[:, order]`, `style.weight[order]`, `style.bias[order]`. Of a writer: `weight[order]`, `bias[order]`.
# </details>


# %% exercise="2.3"
@torch.no_grad()
def sort_channels(const: Tensor, convs, paints, w: Tensor) -> None:
    """Sort the channels of a generator in place, the most important first; its full picture stays the same.

    Shapes: const (1, C, 4, 4); w (M, 64), codes to average styles over.
    """
    ### BEGIN SOLUTION
    convs, paints = list(convs), list(paints)
    for number in range(len(convs) + 1):
        readers = convs[number : number + 1] + (paints[number - 1 : number] if number else [])
        importance = sum(
            layer.gain * layer.weight.abs().sum((0, 2, 3)) * layer.style(w).abs().mean(0) for layer in readers
        )
        order = importance.argsort(descending=True)
        for layer in readers:
            layer.weight.copy_(layer.weight[:, order])
            layer.style.weight.copy_(layer.style.weight[order])
            layer.style.bias.copy_(layer.style.bias[order])
        if number == 0:
            const.copy_(const[:, order])
        else:
            convs[number - 1].weight.copy_(convs[number - 1].weight[order])
            convs[number - 1].bias.copy_(convs[number - 1].bias[order])
    ### END SOLUTION


# %% check="2.3"
lab.check("2.3", sort_channels)

# %% [markdown]
# **How good is a set of pictures?** The *Fréchet distance* ([FID](https://arxiv.org/abs/1706.08500)) compares generated
# pictures with real ones as two clouds of feature vectors. Our features come from a small classifier of these attributes, so
# the figures compare with each other and with nothing else. It is measured at 32 × 32 pixels; smaller pictures are enlarged,
# and their reals likewise. Look at pictures, too: a classifier may be content with what you are not.

# %%
from functools import cache

from efficientlab.models.gan.features import load_features
from efficientlab.training.gan.anycost.loop import average_down
from efficientlab.training.gan.distances import features_of, frechet_distance, perceptual_distance

features = load_features("avatars")


def enlarged(pictures):
    return F.interpolate(pictures, size=32, mode="bilinear") if pictures.shape[-1] < 32 else pictures


@cache
def reals(size, split="val"):
    """The features of a split's real pictures, at a size."""
    avatars = {"val": val, "test": test}[split]
    return features_of(enlarged(average_down(to_pixels(avatars.pictures), (size,))[size]), features)


def quality(generator, config=FULL, size=32, split="val"):
    """FID of a sub-generator against real pictures of its size."""
    pictures = enlarged(samples(generator, P.samples, config, size).clamp(-1, 1))
    return frechet_distance(reals(size, split), features_of(pictures, features))


# %% tags=["result"]
lab.needs("2.1", "2.2", "2.3")
ordered = load_anycost_teacher(Generator).to(P.device)
with torch.inference_mode():
    sort_channels(ordered.const, ordered.convs, ordered.paint, ordered.mapping(latents(2000, 1)))
    moved = (samples(ordered, 50) - samples(teacher, 50)).abs().max().item()
print(f"sorting moved the full generator's pixels by at most {moved:.6f}")
assert moved < 1e-2
unsorted_fid = {name: quality(teacher, config) for name, config in NAMES.items()}
sorted_fid = {name: quality(ordered, config) for name, config in NAMES.items()}
print(f"{'FID of a slice':16}" + "".join(f"{name:>9}" for name in NAMES))
for row, values in (("as trained", unsorted_fid), ("sorted", sorted_fid)):
    print(f"{row:16}" + "".join(f"{v:9.1f}" for v in values.values()))
assert sorted_fid["¾"] <= 0.5 * unsorted_fid["¾"], "sorting did not halve the FID of the ¾ slice"
sample_rows(
    {
        f"{name}, {how}": samples(net, 6, NAMES[name])
        for name in ("¾", "½")
        for how, net in (("as trained", teacher), ("sorted", ordered))
    },
    6,
)
plt.show()

# %% [markdown]
# No training, and the ¾ slice is a different generator.
#
# ## 4 · Budgets
#
# The widths of StyleGAN2 double with every halving of the size, up to a cap: `base` is 256 at 4 × 4 and 32 at 32 × 32 here,
# and the cap is 128. A uniform configuration of ratio $\rho$ takes the ratio *before* the cap,
#
# $$ C = \min(\text{cap},\ \rho \cdot \text{base}), $$
#
# and then at least `least`, and then rounded *up* to a multiple of `multiple`, which processors like. Why before the cap? The
# layers at small sizes hold the structure of the picture, and at 4 × 4 they cost little. With $\rho = \frac{1}{2}$ those stay
# as they are.

# %% [markdown] exercise="2.4"
# *Further: section 5 runs without this exercise.* Write the rule.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Three steps, in the order of the text.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `math.ceil(x / m) * m` rounds up to a multiple of $m$.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `max(least, min(cap, ratio * width))` for each width of the base, then round up.
# </details>


# %% exercise="2.4"
def uniform_widths(
    base: tuple[int, ...], ratio: float, cap: int, least: int, multiple: int
) -> tuple[int, ...]:
    """The channels of each layer at one ratio: capped after the ratio, at least `least`, rounded up to a multiple."""
    ### BEGIN SOLUTION
    widths = (max(least, min(cap, ratio * width)) for width in base)
    return tuple(multiple * -int(-width // multiple) for width in widths)
    ### END SOLUTION


# %% check="2.4"
lab.check("2.4", uniform_widths)

# %% tags=["nbval-check-output"]
lab.needs("2.4")
BASE = (256, 256, 128, 64, 32)
for name, ratio in (("full", 1.0), ("¾", 0.75), ("½", 0.5), ("¼", 0.25)):
    assert tuple(uniform_widths(BASE, ratio, 128, 8, 4)) == tuple(NAMES[name])
    print(f"{name:5} {NAMES[name]}")

# %% [markdown] exercise="2.5"
# *Further: section 5 runs without this exercise.* Predict the MACs of one picture, in closed form. `config` is (const, $C_4$, $C_8$, $C_{16}$, $C_{32}$).
#
# | what | MACs |
# |---|---|
# | the mapping | two layers 64 → 64 |
# | at each size $r$ up to `size`: the style of the convolution, and of the paint | an affine layer 64 → inputs, **always in full** (`FULL`), because it is computed before it is sliced |
# | the convolution, 3×3 | as every convolution, at $r^2$ positions |
# | its demodulation | the product of two matrices: inputs × outputs |
# | the paint, 1×1, to 3 channels | at $r^2$ positions |
# | $\uparrow$ before it, at every size but the first | each number of the enlarged features and of the enlarged picture is a mean of four, weighted: 4 |
#
# Additions, products of single elements and activations count as 0.
#
# <details><summary>Hint 1 · nudge</summary>
#
# The inputs of the convolution at one size are the outputs of the one before it; and of the first, the constant's channels.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Walk through `SIZES`, `config`, `config[1:]`, `FULL` and `FULL[1:]` together, and stop after `size`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# At size $r$: $9\,C_\text{in} C_\text{out} r^2 + C_\text{in} C_\text{out} + 3\,C_\text{out} r^2 + 64\,(F_\text{in} + F_\text{out})$, with $F$ the
# full widths; and beyond 4 × 4 also $4\,(C_\text{in} + 3)\, r^2$.
# </details>


# %% exercise="2.5"
def generator_macs(config, size: int) -> int:
    """MACs of one picture of size × size pixels by the sub-generator `config`."""
    ### BEGIN SOLUTION
    total = 2 * 64 * 64
    for r, c_in, c_out, full_in, full_out in zip(SIZES, config, config[1:], FULL, FULL[1:], strict=False):
        total += 9 * c_in * c_out * r**2 + c_in * c_out + 3 * c_out * r**2 + 64 * (full_in + full_out)
        total += 4 * (c_in + 3) * r**2 if r > 4 else 0
        if r == size:
            break
    return total
    ### END SOLUTION


# %% check="2.5"
lab.check("2.5", generator_macs)

# %% tags=["nbval-check-output"]
BUDGETS = {f"{size} px, {name}": (config, size) for size in (32, 16, 8) for name, config in NAMES.items()}
one, counter, macs = torch.zeros(1, LATENT), load_anycost_teacher(), {}
print(f"{'':14}{'counted MACs':>14}{'fewer':>9}   yours")
for label, budget in BUDGETS.items():
    macs[label] = measure(counter, one, *budget, time=False).macs
    yours = "waits for 2.5"
    if "2.5" in lab.passed:
        yours = "the same" if generator_macs(*budget) == macs[label] else f"{generator_macs(*budget):,}"
    print(f"{label:14}{macs[label]:>14,}{macs['32 px, full'] / macs[label]:>8.1f}×   {yours}")

# %% [markdown]
# The smallest useful preview is ¼ of the width at 16 px. Now the other cost: time.

# %% [markdown] exercise="2.6"
# How many times faster than the full generator is this preview on this machine? Predict it for a batch of 1 and for a batch of
# 16: a dictionary `latency_ratios = {"batch of 1": …, "batch of 16": …}`. There is no right number here, and your prediction
# is not graded on how close it is. It must be made before you measure.
#
# <details><summary>Hint 1 · nudge</summary>
#
# The table above gives the ratio of MACs. How many times fewer operators are called?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# An operator's call costs some microseconds, whatever it computes. The preview leaves out one size of four, and with it about
# a fifth of the calls.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Estimate for each batch what one call computes, against what it costs to make the call.
# </details>

# %% exercise="2.6"
### BEGIN SOLUTION
latency_ratios = {
    "batch of 1": 3.0,  # nearly as many calls, each of them short
    "batch of 16": 10.0,  # the arithmetic shows
}
### END SOLUTION

# %% check="2.6"
lab.check("2.6", latency_ratios)
lab.lock("how many times faster than the full generator", latency_ratios)

# %% tags=["result"]
from functools import partial

from efficientlab.counters import compare, processor_time
from efficientlab.viz.gan.anycost import time_against_macs

lab.needs("2.1", "2.2", "2.6")
speedup, points = {}, {}
for batch in (1, 16):
    z = latents(batch, 0)
    contest = {name: partial(teacher, z, *budget) for name, budget in BUDGETS.items()}
    contest["calls"] = partial(
        teacher, z, Config(1, 1, 1, 1, 1)
    )  # one channel a layer: all calls, hardly a MAC
    with torch.inference_mode():
        timing = compare(contest, baseline="32 px, full", timer=None if z.is_cuda else processor_time)
    key = f"batch of {batch}"
    speedup[key] = {name: 1 / ratio.value for name, ratio in timing.ratio.items()} | {"32 px, full": 1.0}
    points[key] = [(macs["32 px, full"] / macs[name], speedup[key][name]) for name in BUDGETS]
    said = latency_ratios[key]
    print(f"{key}: the preview is {speedup[key]['16 px, ¼']:.1f} times faster; you said {said:.1f}")
    print(
        f"{'':13}half of the width {speedup[key]['32 px, ½']:.1f} times, 8 px at ¼ {speedup[key]['8 px, ¼']:.1f} times"
    )
    calls = speedup[key]["16 px, ¼"] / speedup[key]["calls"]
    print(
        f"{'':13}one channel in each layer {speedup[key]['calls']:.1f} times: {calls:.0%} of the preview's time"
    )
print(f"ratio of MACs: {macs['32 px, full'] / macs['16 px, ¼']:.1f} for the preview")
if P.device == "cpu":
    assert timing.ratio["8 px, ¼"].below(1 / 8), "the smallest preview is not clearly 8 times faster"
    assert timing.ratio["32 px, ½"].below(1 / 1.6), "half of the width is not clearly 1.6 times faster"
    assert speedup["batch of 16"]["16 px, ¼"] > speedup["batch of 1"]["16 px, ¼"]
    for key, ratios in speedup.items():
        assert ratios["16 px, ¼"] > 0.5 * ratios["calls"], f"{key}: the preview's time is mostly its MACs"
time_against_macs(points)
plt.show()

# %% [markdown]
# A generator with one channel in each layer makes all the calls and computes next to nothing: at a batch of 1, what it takes
# is the price of the calls. The preview takes little longer. So it saves nearly all of the arithmetic, and most of what you
# still wait for are calls. With 16 pictures the full generator does sixteen times the arithmetic in the same calls, and the
# preview saves a larger share of its time. But one channel in each layer is close to the preview again: what is left is not
# its MACs there, either. It is calls, and passes over what no width makes smaller, as the picture that is enlarged from size
# to size. In a real generator (1024 × 1024 pixels, 144 G MACs) arithmetic sets the time even with one picture.
#
# ## 5 · Train: many generators at once
#
# Every step draws a configuration and trains the sub-generator that it is, and with it all that share its weights. One
# discriminator judges them all. Two questions:
#
# 1. **Sizes.** The generator's pass gives pictures at 8, 16 and 32 px. Each is judged by the discriminator, against real
#    pictures *of that size*. Two sizes a step, drawn at random, are enough.
# 2. **Consistency.** Is the preview the same *person*?
#
# (A third: should the discriminator know whom it judges? That is section 6.)

# %% [markdown] exercise="2.7"
# Write the discriminator's loss over the drawn sizes:
#
# $$ L_D = \sum_{r \in \text{sizes}} \mathbb{E}\big[\log(1 + e^{-D(x_r,\, c')})\big] + \mathbb{E}\big[\log(1 + e^{D(G_r(z),\, c)})\big] $$
#
# where $x_r$ is the real picture reduced to $r \times r$ by averaging over squares (`F.avg_pool2d`), $G_r(z)$ the
# generator's picture of that size, $c$ what the discriminator is told of the configuration that made it, and $c'$ what it
# is told of the reals: another, random configuration. (If reals always came with one and the same code, the discriminator could
# read from the code what is real. In this section it is told nothing: both are `None`.) No gradient may reach the generator.
#
# <details><summary>Hint 1 · nudge</summary>
#
# $\log(1 + e^x)$ is `F.softplus(x)`.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# For each size: reduce `real`, score it with `real_code`; detach `fakes[size]`, score it with `code`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `F.avg_pool2d(real, real.shape[-1] // size)`.
# </details>


# %% exercise="2.7"
def discriminator_loss(
    discriminator, real: Tensor, fakes: dict[int, Tensor], code, real_code, sizes
) -> Tensor:
    """The logistic loss of the discriminator, summed over the sizes that are judged; a scalar.

    Shapes: real (N, 3, H, H); fakes: size → (N, 3, size, size), made in one pass; discriminator(pictures, code) gives
    scores (N,). code and real_code are handed on as they are.
    """
    ### BEGIN SOLUTION
    terms = []
    for size in sizes:
        genuine = discriminator(F.avg_pool2d(real, real.shape[-1] // size), real_code)  # (N,)
        made_up = discriminator(fakes[size].detach(), code)
        terms.append(F.softplus(-genuine).mean() + F.softplus(made_up).mean())
    return torch.stack(terms).sum()
    ### END SOLUTION


# %% check="2.7"
lab.check("2.7", discriminator_loss)

# %% [markdown] exercise="2.8"
# The game asks that each preview looks like *a* face. That it looks like *this* face, **consistency** asks:
#
# $$ L_\text{con} = \sum_r \operatorname{MSE}\big(G_r(z),\ \downarrow_r T(z)\big) + d\big(G_r(z),\ \downarrow_r T(z)\big) $$
#
# with a frozen teacher $T$, the generator as it was before, run in full on the *same* $z$. $\downarrow_r$ averages its final
# picture down to $r \times r$: not the teacher's own picture of size $r$, which nobody has looked at (you saw them in section
# 2). $d$ is a perceptual distance, between the features that the classifier of section 3 sees in two pictures: one number for
# each picture of the batch. Take its mean. One pass of the teacher serves all sizes.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Who is to move towards whom?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `with torch.no_grad(): target = teacher(z)`, once; then a loop over `pictures.items()`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `F.mse_loss(picture, t) + distance(picture, t).mean()` with `t = F.avg_pool2d(target, target.shape[-1] // size)`.
# </details>


# %% exercise="2.8"
def consistency_loss(teacher, z: Tensor, pictures: dict[int, Tensor], distance) -> Tensor:
    """Σ over sizes of MSE + mean distance to the teacher's final picture, reduced to that size; a scalar.

    Shapes: z (N, 64); pictures: size → (N, 3, size, size); teacher(z) gives (N, 3, H, H); distance(a, b) gives (N,).
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        target = teacher(z)
    terms = []
    for size, picture in pictures.items():
        wanted = F.avg_pool2d(target, target.shape[-1] // size)
        terms.append(F.mse_loss(picture, wanted) + distance(picture, wanted).mean())
    return torch.stack(terms).sum()
    ### END SOLUTION


# %% check="2.8"
lab.check("2.8", consistency_loss)

# %% [markdown]
# Two contestants, side by side, from the same sorted weights, with the same draws: **game only**, and **with
# consistency**. A step draws one of the four uniform configurations. The loop is `efficientlab.training.gan.anycost.loop`: the
# discriminator steps first, then the generator; every 16 steps there is an R1 penalty, on the square of the discriminator's
# gradient at real pictures, which keeps it from becoming too steep; and the generator that we look at is a running mean over
# steps.

# %% tags=["result"]
from efficientlab.models.gan.anycost.configs import random_uniform
from efficientlab.training.gan.anycost.loop import AnycostRun, Game, Recipe, fit_anycost
from efficientlab.training.side_by_side import side_by_side

lab.needs("2.1", "2.2", "2.3", "2.7", "2.8")
WEIGHT = 4.0  # of consistency


def two_sizes(rng):
    """Two of the three sizes that are judged."""
    return tuple(JUDGED[i] for i in torch.randperm(len(JUDGED), generator=rng)[:2])


def consistency(weight):
    """The loss of a step, for `Game`."""
    distance = partial(perceptual_distance, features=features)
    return lambda z, pictures: (
        weight * consistency_loss(frozen, z, {size: pictures[size] for size in JUDGED}, distance)
    )


def contestant(game, seed, discriminator):
    """A training run as a function of a progress bar; it begins with the sorted weights."""
    generator = load_anycost_teacher(Generator).to(P.device)
    generator.load_state_dict(ordered.state_dict())
    recipe = Recipe(P.steps, P.batch, P.lr, average=P.average)
    run = AnycostRun(generator, discriminator.to(P.device), recipe, seed)
    return lambda bar: fit_anycost(run, train.pictures, game, bar=bar)


def train_all(games, discriminator=load_anycost_discriminator):
    """The averaged generators by (name, seed)."""
    jobs = {
        (name, seed): contestant(game, seed, discriminator())
        for seed in range(P.seeds)
        for name, game in games.items()
    }
    runs = side_by_side(jobs, steps=P.steps * len(jobs), workers=P.workers)
    for name in games:
        print(f"{name}: {1e3 * runs[name, 0].cpu_seconds / runs[name, 0].step:.0f} ms a step")
    return {key: run.averaged for key, run in runs.items()}


frozen = load_anycost_teacher(Generator).to(P.device).requires_grad_(False)
shared = {"sizes": two_sizes, "discriminator_loss": discriminator_loss}
games = {
    "game only": Game(random_uniform, **shared),
    "with consistency": Game(random_uniform, **shared, consistency=consistency(WEIGHT)),
}
if P.seeds >= 3:
    games["consistency ¼"] = Game(random_uniform, **shared, consistency=consistency(WEIGHT / 4))
trained = train_all(games)

# %% [markdown]
# Now measure. How near is a sub-generator's picture to its *own full picture*, what the same network paints in full of the same
# $z$, reduced to the same size? Two answers: the perceptual distance, and the peak signal-to-noise ratio, *PSNR*:
# $10 \log_{10}(4 / \operatorname{MSE})$ in dB, because pixels lie between −1 and 1; more is nearer. FID here is on the test
# split, once.


# %%
@cache
def final_pictures(generator, seed):
    """200 pictures of a generator that is trained, in full."""
    return samples(generator, 200, seed=seed).clamp(-1, 1)


@torch.inference_mode()
def agreement(generator, config, size=32, seed=5, full=None):
    """Perceptual distance and PSNR (dB) to the pictures of a full generator, by default its own, the mean of 200."""
    final = average_down(final_pictures(full or generator, seed), (size,))[size]
    preview = samples(generator, 200, config, size, seed).clamp(-1, 1)
    distance = perceptual_distance(enlarged(preview), enlarged(final), features).mean().item()
    error = (preview - final).square().mean((1, 2, 3))
    return distance, (10 * (4 / error).log10()).mean().item()


def mean(values):
    return sum(values) / len(values)


def spread(values, digits=1):
    """mean [lowest, highest], or the number where there is one seed."""
    values = list(values)
    ends = f" [{min(values):.{digits}f}, {max(values):.{digits}f}]" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{ends}"


# %% tags=["result"]
lab.needs("2.1", "2.2", "2.3", "2.7", "2.8")
contest = {"sorted slices": [ordered]}
contest |= {name: [trained[name, seed] for seed in range(P.seeds)] for name in games}
LABELS = ("32 px, full", "32 px, ¾", "32 px, ½", "32 px, ¼", "16 px, full", "16 px, ¼", "8 px, full")
table, wide = {}, 14 if P.seeds == 1 else 22  # table: (contestant, budget, metric) → one number a seed
print(f"{'':14}{'':10}" + "".join(f"{name:>{wide + 3}}" for name in contest))
for label in LABELS:
    for name, generators in contest.items():
        table[name, label, "FID"] = [quality(g, *BUDGETS[label], "test") for g in generators]
        found_agreement = [agreement(g, *BUDGETS[label]) for g in generators]
        table[name, label, "distance"], table[name, label, "PSNR"] = zip(*found_agreement, strict=True)
    for metric, digits in (("FID", 1), ("distance", 3), ("PSNR", 1)):
        if label == "32 px, full" and metric != "FID":
            continue  # it is its own full picture
        row = [spread(table[name, label, metric], digits) for name in contest]
        head = label if metric == "FID" else ""
        print(f"{head:14}{metric:10}" + "".join(f"{text:>{wide + 3}}" for text in row))

# %% tags=["cover"]
lab.needs("2.1", "2.2", "2.3", "2.7", "2.8")
sample_rows(
    {
        f"{name}: {label}": samples(trained[name, 0], 8, *BUDGETS[label], seed=5)
        for name in ("game only", "with consistency")
        for label in ("32 px, full", "32 px, ½", "16 px, ¼")
    }
)
plt.show()

# %% [markdown]
# Look at the last row of each: so few steps leave the smallest preview grey, with consistency and without. (Section 7 shows what more
# steps make of it.) A figure may improve long before a picture does.
#
# One seed is one draw. `python benchmarks/lab_seeds.py 2` repeats this section with five (`benchmarks/results/lab2-seeds.json`),
# where the margins below were chosen, and adds a contestant with a quarter of the weight of consistency.

# %% tags=["result"]
lab.needs("2.1", "2.2", "2.3", "2.7", "2.8")


def compared(label, metric, name="with consistency"):
    """Seed by seed: with consistency, and without."""
    return list(zip(table[name, label, metric], table["game only", label, metric], strict=True))


for name in (n for n in games if n != "game only"):
    half = [a / b for a, b in compared("32 px, ½", "distance", name)]
    small = [a / b for a, b in compared("16 px, ¼", "distance", name)]
    gain = [a - b for a, b in compared("32 px, ½", "PSNR", name)]
    change = [a - b for a, b in compared("32 px, ½", "FID", name)]
    full = [f / quality(reference, split="test") for f in table[name, "32 px, full", "FID"]]
    print(f"{name}, against game only")
    print(f"   distance to the own full picture, ½ width {spread(half, 2):>21} times")
    print(f"   the same of the preview, 16 px, ¼ {spread(small, 2):>29} times")
    print(f"   PSNR to it, ½ width {spread(gain, 1):>43} dB more")
    print(f"   FID, ½ width, change {spread(change, 1):>42}")
    print(f"   FID in full, against the teacher's {spread(full, 2):>28} times")
    if name == "with consistency":
        limits = (0.7, 0.75, 3.0, 1.2) if P.seeds >= 3 else (0.75, 0.8, 2.5, 1.3)
        assert mean(half) <= limits[0], "½ width is not much closer to its full picture"
        assert mean(small) <= limits[1], "the preview is not much closer to its full picture"
        assert mean(gain) >= limits[2], f"½ width does not gain {limits[2]} dB"
        assert mean(full) <= limits[3], "the full generator suffered"

# %% [markdown]
# Training all sizes and widths alone does not make previews agree with the final picture: each sub-generator is free to
# paint another good face. Consistency ties them together. Does it cost quality? One might expect so: two losses, one network.
# Compare the rows of FID before you answer. A teacher's picture also tells a narrow sub-generator *what* to paint, pixel by
# pixel, where a discriminator only says that it is not good yet; when there are few steps, that is worth much. This is the end
# of the core.
#
# ## 6 · Further: a discriminator that knows, and generators that share nothing
#
# A narrow sub-generator paints other mistakes than a wide one. Should the discriminator know whom it judges?

# %% [markdown] exercise="2.9"
# Tell the discriminator. A configuration is a choice among ratios for each of its layers: `ratios` (N, layers), whole
# numbers from 0 to choices − 1. Make of each row a code $g$ of zeros and ones: for each layer, one of `choices` places
# is 1. Then, in a block of the discriminator,
#
# $$ y_{nc} = x_{nc}\,(1 + (W g_n)_c) + (V g_n)_c . $$
#
# $W$ and $V$ are linear maps without bias, `self.scale` and `self.shift`, and both begin at zero: then the shipped
# discriminator, which never heard of configurations, goes on as it was.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Two configurations with the same mean width are not the same. So the mean will not do.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `F.one_hot(ratios, choices)` is (N, layers, choices). Flatten all but the first dimension, and give it the dtype of `x`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `nn.Linear(layers * choices, channels, bias=False)` twice, `self.scale.weight.data.zero_()` and the same for the shift, and
# `[:, :, None, None]` on what they give.
# </details>


# %% exercise="2.9"
class Conditioning(nn.Module):
    """x (1 + W g) + V g per channel, with g the one-hot code of a configuration.

    Shapes: x (N, C, H, W), ratios int64 (N, layers) → (N, C, H, W).
    """

    def __init__(self, channels: int, layers: int, choices: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.choices = choices
        self.scale = nn.Linear(layers * choices, channels, bias=False)
        self.shift = nn.Linear(layers * choices, channels, bias=False)
        self.scale.weight.data.zero_()
        self.shift.weight.data.zero_()
        ### END SOLUTION

    def forward(self, x: Tensor, ratios: Tensor) -> Tensor:
        ### BEGIN SOLUTION
        g = F.one_hot(ratios, self.choices).flatten(1).to(x.dtype)  # (N, layers · choices)
        return x * (1 + self.scale(g))[:, :, None, None] + self.shift(g)[:, :, None, None]
        ### END SOLUTION


# %% check="2.9"
lab.check("2.9", Conditioning)

# %% [markdown]
# Does it help? **Told** plays the game of section 5 with your layer. And one more contestant: what if nobody shares? **½ alone**
# is a generator of half the width that begins with the sorted slice and is trained by itself, at 32 px, for as many steps:
# all of them at this width, where the others draw one of four.

# %% tags=["result"]
lab.needs("2.1", "2.2", "2.3", "2.7", "2.8", "2.9")
told_discriminator = partial(load_anycost_discriminator, partial(Conditioning, layers=5, choices=4))
more = train_all({"told": Game(random_uniform, **shared, code=ratios_of)}, told_discriminator)
alone = {"config": lambda rng: HALF, "discriminator_loss": discriminator_loss}
more |= train_all({"½ alone": Game(**alone)})
rivals = {"sorted slices": [ordered]}
rivals |= {name: [trained[name, seed] for seed in range(P.seeds)] for name in games}
rivals |= {name: [more[name, seed] for seed in range(P.seeds)] for name in ("told", "½ alone")}
print(f"{'½ width at 32 px':20}{'FID':>20}{'PSNR to the teacher, dB':>26}")
for name, generators in rivals.items():
    fids = table.get((name, "32 px, ½", "FID")) or [quality(g, HALF, split="test") for g in generators]
    psnr = [agreement(g, HALF, full=frozen)[1] for g in generators]
    print(f"{name:20}{spread(fids):>20}{spread(psnr):>26}")

# %% [markdown]
# Read the rows against each other, and do not read more out of one seed than it holds. Does it help to be *told*? That is not
# shown: over five seeds its range of FID overlaps that of *game only* (`benchmarks/results/lab2-seeds.json`).
#
# A generator that shares its weights with nobody has all of its width for itself. Nothing ties it to the full picture, and
# still its PSNR rises far above that of the slice that it began as: here the way to a good face leads back to much the same
# person. The game alone does not do that for weights that are shared; with consistency they come about as far.
#
# ## 7 · Further: search
#
# The next generator was trained longer, in all configurations, by `python -m efficientlab.training.gan.anycost.flexible`,
# with everything that you have built. Its layers can be set one by one: which configuration is best under a budget?
# *Best* means: closest to the full picture.

# %%
lab.needs("2.1", "2.2")
flexible = load_anycost_flexible(Generator).to(P.device).requires_grad_(False)
sample_rows({"flexible, full": samples(flexible, 8), "flexible, 16 px, ¼": samples(flexible, 8, *PREVIEW)})
plt.show()

# %% [markdown] exercise="2.10"
# Write an evolutionary search, as in lab 1.
#
# 1. Fill the first generation with `population` different random configurations that `macs` allows. Evaluate them.
# 2. For each further generation, take the best quarter of *everything evaluated so far* as parents. Make `population` new
#    configurations: half by **mutation** (a parent with one or two layers drawn anew), half by **crossover** (each layer from
#    one of two parents). Evaluate them.
# 3. Return the best configuration that was evaluated.
#
# `evaluate(config)` gives a loss; lower is better. Call it at most `population` × `generations` times, never twice for the same
# configuration, and never beyond the budget. All randomness comes from `rng`. If new configurations are hard to find, give up
# on a generation after some number of attempts, on the first one too: fewer than `population` may fit. If no random
# configuration fits, evaluate the cheapest one, and go on from it. If even that costs more than the budget, raise a
# `ValueError` that says so: a search that draws until something fits would never end.
#
# <details><summary>Hint 1 · nudge</summary>
#
# A dictionary from configurations to losses is population, memory and result in one.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# MACs grow with every width, so the narrowest choice of each layer is the cheapest configuration.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Mutation: `child = list(parent)`, then `child[layer] = choices[layer][draw(len(choices[layer]))]` for one or two drawn
# layers. Crossover: `tuple(pair[draw(2)] for pair in zip(mother, father))`.
# </details>


# %% exercise="2.10"
def evolve(
    evaluate, macs, choices, budget, population: int, generations: int, rng: torch.Generator
) -> tuple[int, ...]:
    """The best configuration within the budget that an evolutionary search finds.

    evaluate: configuration → loss, lower is better; macs: configuration → cost, at most `budget`;
    choices: one tuple of widths a layer. Raises ValueError where nothing is within the budget.
    """
    ### BEGIN SOLUTION
    cheapest = tuple(min(widths) for widths in choices)
    if macs(cheapest) > budget:
        raise ValueError(
            f"the cheapest configuration costs {macs(cheapest):,}, more than the budget of {budget:,}."
        )
    losses: dict[tuple[int, ...], float] = {}

    def draw(n):
        return int(torch.randint(n, (), generator=rng))

    def random_config():
        return tuple(widths[draw(len(widths))] for widths in choices)

    def child(parents):
        if draw(2):
            mother, father = parents[draw(len(parents))], parents[draw(len(parents))]
            return tuple(pair[draw(2)] for pair in zip(mother, father, strict=True))
        mutant = list(parents[draw(len(parents))])
        for _ in range(1 + draw(2)):
            layer = draw(len(choices))
            mutant[layer] = choices[layer][draw(len(choices[layer]))]
        return tuple(mutant)

    for generation in range(generations):
        parents = sorted(losses, key=losses.get)[: max(2, len(losses) // 4)]
        found = 0
        for _ in range(200 * population):
            config = child(parents) if generation else random_config()
            if config not in losses and macs(config) <= budget:
                losses[config] = evaluate(config)
                found += 1
            if found == population:
                break
        if not losses:
            losses[cheapest] = evaluate(cheapest)
    return min(losses, key=losses.get)
    ### END SOLUTION


# %% check="2.10"
lab.check("2.10", evolve)

# %% [markdown]
# With five layers there are few enough configurations to try them all. So here, for once, we can see how well a search does. (In
# the paper there are 18 layers.)

# %% tags=["result"]
from tqdm import tqdm

from efficientlab.models.gan.anycost.configs import all_configs, uniform
from efficientlab.viz.gan.translation import search_scatter

lab.needs("2.1", "2.2", "2.5", "2.10")
people = latents(P.search_latents, 11)
with torch.inference_mode():
    codes = flexible.mapping(people)
    final = flexible.synthesise(codes).clamp(-1, 1).cpu()


@torch.inference_mode()
def distance_to_full(config):
    """Perceptual distance to the full picture, the mean over a few people."""
    preview = flexible.synthesise(codes, Config(*config)).clamp(-1, 1).cpu()
    return perceptual_distance(preview, final, features).mean().item()


def macs_of(config):
    return generator_macs(config, 32)


everything = {config: distance_to_full(config) for config in tqdm(list(all_configs()), mininterval=1.0)}

# %% tags=["result"]
lab.needs("2.1", "2.2", "2.5", "2.10")
SEARCHES = 21  # with a seed each; all that they ask for is known by now, so that they cost next to nothing
found, tried = {}, {}
budgets = {"¾": macs_of(THREE_QUARTERS), "½": macs_of(HALF), "between": 12_000_000}


def remembered(config, seen):
    seen[config] = everything[config]
    return seen[config]


print(f"{'budget':10}{'':9}{'configuration':18}{'M MACs':>8}{'distance':>10}{'PSNR':>7}{'FID':>7}")
for name, budget in budgets.items():
    searches = []
    for seed in range(SEARCHES):
        rng, seen = torch.Generator().manual_seed(seed), {}
        find = evolve(
            partial(remembered, seen=seen), macs_of, CHOICES, budget, P.population, P.generations, rng
        )
        searches.append((Config(*find), seen))
    searches.sort(key=lambda search: everything[search[0]])
    found[name], tried[name] = searches[SEARCHES // 2]  # the median search: neither luck nor bad luck
    allowed = {c: d for c, d in everything.items() if macs_of(c) <= budget}
    rows = {"uniform": max((c for c in UNIFORM if macs_of(c) <= budget), key=macs_of)}
    finer = max(
        (c for c in map(uniform, torch.arange(0.25, 1, 0.01).tolist()) if macs_of(c) <= budget), key=macs_of
    )
    if macs_of(finer) > macs_of(rows["uniform"]):
        rows["finer"] = finer  # the rule at a ratio between those that were trained
    rows |= {"found": found[name], "best": min(allowed, key=allowed.get)}
    fids = {}
    for row, config in rows.items():
        distance, psnr = agreement(flexible, config)  # on other people than the search saw
        fid = quality(flexible, config)
        print(
            f"{name if row == 'uniform' else '':10}{row:9}{config!s:18}{macs_of(config) / 1e6:8.1f}{distance:10.3f}"
            f"{psnr:7.1f}{fid:7.1f}"
        )
        rows[row], fids[row] = distance, fid
    ranks = [sum(d < everything[find] for d in allowed.values()) + 1 for find, _ in searches]
    rank = ranks[SEARCHES // 2]
    print(
        f"{'':10}{SEARCHES} searches of {len(tried[name])} evaluations: numbers {ranks[0]} to {ranks[-1]} of {len(allowed)},"
        f" the median {rank}"
    )
    print(f"{'':10}found : uniform = {rows['found'] / rows['uniform']:.2f}")
    assert all(macs_of(find) <= budget for find, _ in searches), "a search went beyond its budget"
    assert rank <= len(allowed) / 20, "most searches end far from the best"
    if name == "between":
        assert rows["found"] <= 0.85 * rows["uniform"], "between the steps the search wins little"
    assert rows["found"] <= rows.get("finer", rows["found"]), "a finer ratio does what the search does"
    if "finer" in rows:
        assert rows["finer"] > rows["uniform"] and fids["finer"] < fids["uniform"]
try:
    evolve(
        distance_to_full,
        macs_of,
        CHOICES,
        1_000_000,
        P.population,
        P.generations,
        torch.Generator().manual_seed(0),
    )
except ValueError as error:
    print(f"a budget of 1 M MACs: {error}")
search_scatter(
    {
        "all configurations": [(macs_of(c) / 1e6, d) for c, d in everything.items() if d > 0],
        "tried by the search": [(macs_of(c) / 1e6, d) for c, d in tried["½"].items()],
    },
    {
        "found": (macs_of(found["½"]) / 1e6, everything[found["½"]]),
        "uniform ½": (macs_of(HALF) / 1e6, everything[HALF]),
    },
    macs_of(HALF) / 1e6,
    "distance to the full picture",
)
plt.show()

# %% [markdown]
# An honest look: at the budgets of the uniform configurations there is next to nothing to win. The rule of section 4, the cap
# after the ratio, was made by people who knew which layers matter, and among all configurations of equal cost hardly any is
# closer. The search did not know the rule, and most of its runs end among the few best. Between the steps of the rule it is
# worth its while: there the uniform configuration within the budget is far narrower than it has to be, and the search uses
# what is left. Why not a ratio between the steps, then? The row *finer* is the rule at the largest ratio, in hundredths, that
# the budget allows. No training step drew those widths. In distance and in PSNR its pictures are further from the full one
# than those of the quarter, which costs less. In FID they are better: more like real faces, and less the same person. The
# search asks for the same person.

# %% [markdown]
# ## 8 · Further: edit, and project
#
# An attribute is nearly a direction in $w$: $a \approx \beta^\top w + c$. The classifier scores many samples, and a *ridge
# regression* finds $\beta$:
#
# $$ \beta = \Big( \tfrac1n \tilde W^\top \tilde W + \lambda I \Big)^{-1} \tfrac1n \tilde W^\top \tilde a, $$
#
# where the rows of $\tilde W$ are the codes and $\tilde a$ the scores, both minus their mean. To add $\beta$ itself to a
# code would be a step of no particular length. A sensible unit is one standard deviation of the codes along the
# direction: people differ by that much anyway.

# %% [markdown] exercise="2.11"
# Give the step: the direction of $\beta$, scaled to the standard deviation of $w$ along it, $\operatorname{std}(W u)\, u$ with
# $u = \beta / |\beta|$. (Whether the standard deviation divides by $n$ or by $n - 1$ is yours to choose.)
#
# <details><summary>Hint 1 · nudge</summary>
#
# Is the mean of the codes zero? And of the scores?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `torch.linalg.solve(A, b)` solves $A \beta = b$.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `A = centred.T @ centred / n + ridge * torch.eye(d)`, in the dtype of `w`. `(w @ u).std()` is the length.
# </details>


# %% exercise="2.11"
def edit_direction(w: Tensor, score: Tensor, ridge: float) -> Tensor:
    """A step of one standard deviation along the direction in which the score grows: (d,).

    Shapes: w (n, d), score (n,). Ridge regression on centred data, the penalty beside the mean of the squares.
    """
    ### BEGIN SOLUTION
    centred = w - w.mean(0)
    covariance = centred.T @ centred / len(w) + ridge * torch.eye(w.shape[1], dtype=w.dtype, device=w.device)
    beta = torch.linalg.solve(covariance, centred.T @ (score - score.mean()) / len(w))
    unit = beta / beta.norm()
    return unit * (w @ unit).std()
    ### END SOLUTION


# %% check="2.11"
lab.check("2.11", edit_direction)

# %% tags=["result"]
from efficientlab.datasets.gan.avatars import ATTRIBUTES
from efficientlab.models.gan.attributes import read_attributes, split_scores

lab.needs("2.1", "2.2", "2.11")
EDITS = {  # name: (attribute, its values that count as yes)
    "long hair": ("hair", ("wavy", "long")),
    "teeth": ("mouth", ("teeth",)),
    "sunglasses": ("glasses", ("sunglasses",)),
    "dark skin": ("skin", ()),
}


def score_of(scores, edit):
    """How much a picture has of an attribute: log-odds, or how dark the skin is."""
    attribute, yes = EDITS[edit]
    if attribute == "skin":
        return scores["skin"]
    index = torch.tensor([value in yes for value in ATTRIBUTES[attribute]])
    return scores[attribute][:, index].logsumexp(1) - scores[attribute][:, ~index].logsumexp(1)


def paint_all(w, config=FULL, size=32):
    """The flexible generator's pictures of codes (n, 64), on the CPU."""
    return torch.cat([flexible.synthesise(part, config, size).cpu() for part in w.split(100)])


def share(pictures, edit, shown):
    """The share of pictures that show an attribute, when they are shown at a size that may be smaller."""
    seen = read_attributes(features, enlarged(average_down(pictures, (shown,))[shown].clamp(-1, 1)))
    attribute, yes = EDITS[edit]
    if attribute == "skin":
        return (seen["skin"] > 0.5).double().mean().item()
    index = torch.tensor([ATTRIBUTES[attribute].index(value) for value in yes])
    return torch.isin(seen[attribute], index).double().mean().item()


with torch.inference_mode():
    w = flexible.mapping(latents(2000, 21))
    scores = split_scores(torch.cat([features.logits(part) for part in paint_all(w).split(250)]))
    directions = {edit: edit_direction(w.cpu(), score_of(scores, edit), 0.01).to(P.device) for edit in EDITS}
    w = flexible.mapping(latents(200, 22))
    views = ("full picture", "full, seen at 16", "preview: 16, ¼")
    print(f"{'share of pictures that show it':32}" + "".join(f"{view:^24}" for view in views))
    print(f"{'strength, standard deviations':32}" + "".join(f"{s:>8.1f}" for _ in views for s in (-2, 0, 2)))
    moved = {}
    for edit, step in directions.items():
        full, previews = (
            [paint_all(w + s * step, *budget) for s in (-2, 0, 2)] for budget in ((FULL, 32), PREVIEW)
        )
        shown = ((full, 32), (full, 16), (previews, 16))
        moved[edit] = {
            view: [share(pictures, edit, size) for pictures in painted]
            for view, (painted, size) in zip(views, shown, strict=True)
        }
        print(f"{edit:32}" + "".join(f"{v:8.2f}" for values in moved[edit].values() for v in values))
    for edit, values in moved.items():
        assert values["full picture"][2] > values["full picture"][0] + 0.2, f"{edit} does not change"
rows = {}
with torch.inference_mode():
    w = flexible.mapping(latents(6, 23))
    rows["as they are"] = flexible.synthesise(w).cpu()
    for edit, step in directions.items():
        rows[edit] = flexible.synthesise(w + 2 * step).cpu()
        rows[f"{edit}, preview"] = flexible.synthesise(w + 2 * step, *PREVIEW).cpu()
sample_rows(rows, 6)
plt.show()

# %% [markdown]
# The middle columns are the fair comparison: at 16 pixels even a right picture shows the classifier less, and the preview should be
# held against that. What is left of the difference is the preview's own lie.
#
# And a picture that the generator did not paint? **Projection** looks for a code whose picture is like it, by gradient descent
# on $w$: one row for each size, which is more than the mapping gives and fits more pictures. But then the *previews* of this
# code need not be like it.

# %% [markdown] exercise="2.12"
# Write the loss of a projection. For a picture $y$ and target $t$ let $\ell(y, t) = \operatorname{MSE}(y, t) + \text{mean of } d(y,
# t)$, with $t$ reduced to the size of $y$ by averaging. The loss is
#
# $$ \ell(y_\text{full}, t) + \lambda \cdot \frac1m \sum_{j=1}^m \ell(y_j, t) $$
#
# over the pictures of $m$ sub-generators, and without its second term if there are none.
#
# <details><summary>Hint 1 · nudge</summary>
#
# The factor of the reduction is the ratio of the sizes.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Write $\ell$ as a function inside, which pools the target.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `F.avg_pool2d(target, target.shape[-1] // picture.shape[-1])`.
# </details>


# %% exercise="2.12"
def projection_loss(full: Tensor, previews: list[Tensor], target: Tensor, weight: float, distance) -> Tensor:
    """How far a code's pictures are from a target: of the full generator, plus weight · the mean over previews.

    Shapes: full, target (N, 3, H, H); previews (N, 3, size, size) each; distance(a, b) gives (N,). Returns a scalar.
    """

    ### BEGIN SOLUTION
    def far(picture):
        wanted = F.avg_pool2d(target, target.shape[-1] // picture.shape[-1])
        return F.mse_loss(picture, wanted) + distance(picture, wanted).mean()

    loss = far(full)
    if previews:
        loss = loss + weight * torch.stack([far(picture) for picture in previews]).mean()
    return loss
    ### END SOLUTION


# %% check="2.12"
lab.check("2.12", projection_loss)

# %% tags=["result"]
from efficientlab.viz.gan.anycost import trade_off

lab.needs("2.1", "2.2", "2.12")
target = to_pixels(test.pictures[:8]).to(P.device)


def project(weight, budgets=(PREVIEW, (HALF, 32))):
    """The codes (8, 4, 64) whose pictures are closest to the targets."""
    mean = flexible.mapping(latents(2000, 31)).mean(0)
    rows = mean.expand(len(target), len(SIZES), -1).clone().requires_grad_()
    adam = torch.optim.Adam([rows], lr=0.05)
    distance = partial(perceptual_distance, features=features)
    for step in tqdm(range(P.projection_steps), mininterval=1.0):
        adam.param_groups[0]["lr"] = 0.05 * (1 - step / P.projection_steps)
        full = flexible.synthesise(rows)
        previews = [flexible.synthesise(rows, *budget) for budget in budgets] if weight else []
        loss = projection_loss(full, previews, target, weight, distance)
        adam.zero_grad()
        loss.backward()
        adam.step()
    return rows.detach()


@torch.inference_mode()
def likeness(rows, config=FULL, size=32):
    """PSNR (dB) of a code's pictures to the targets at their size."""
    wanted = average_down(target, (size,))[size]
    error = (flexible.synthesise(rows, config, size).clamp(-1, 1) - wanted).square().mean((1, 2, 3))
    return (10 * (4 / error).log10()).mean().item()


projected, shown, figures = {}, {"target": target.cpu()}, {}
for name, weight in (("full alone", 0.0), ("with previews", 1.0)):
    projected[name] = project(weight)
    figures[name] = (likeness(projected[name]), likeness(projected[name], *PREVIEW))
    print(f"{name:14} full picture {figures[name][0]:.1f} dB, preview {figures[name][1]:.1f} dB")
    with torch.inference_mode():
        shown[name] = flexible.synthesise(projected[name]).cpu()
        shown[f"{name}: preview"] = flexible.synthesise(projected[name], *PREVIEW).cpu()
trade_off(figures, "PSNR of the full picture, dB", "PSNR of the preview, dB")
plt.show()
sample_rows(shown, 6)
plt.show()

# %% [markdown]
# ## 9 · Further: the knob
#
# Everything together. Drag a slider: on the left the preview follows within the chosen budget, with its time and its MACs. Let
# go: on the right the full generator paints the picture. *Shuffle* gives you another person. Where no front end answers,
# a table of pictures stands here instead.

# %%
from efficientlab.viz.gan.knob import Budget, Knob

lab.needs("2.1", "2.2", "2.5", "2.10", "2.11")
Knob(
    flexible.cpu(),
    {edit: step.cpu() for edit, step in directions.items()},
    {
        "16 px, ¼": Budget(QUARTER, 16),
        "32 px, ¼": Budget(QUARTER, 32),
        "found, ½": Budget(found["½"], 32),
        "found, ¾": Budget(found["¾"], 32),
    },
    generator_macs,
).show()

# %% [markdown] exercise="2.13"
# *Further.* When does a preview lie? Answer in a few sentences each, with numbers from this notebook. Part 1 asks about
# section 5 alone; parts 2 and 3 need section 8:
#
# 1. Compare the table of section 5: which sub-generators agree with the full picture only after consistency, and what
#    happened to FID?
# 2. Find a person and an edit for which the preview shows something else than the final picture (the rows of section 8, or the
#    knob). What is it that a quarter of the width cannot hold? Which budget repairs it, and at how many MACs?
# 3. Projection with previews in its loss: what was gained, what was paid, and for which user would you choose which?

# %% [markdown] answer="2.13"
# 1. The sorted slices and the network trained by the game alone are far from their own full picture at ½ and ¼ width; with
#    consistency the distance falls by the factor that the last cell of section 5 prints, and the PSNR rises by as many dB. FID of
#    the narrow and of the small ones is lower, too: the teacher's pictures are a guide that the discriminator is not. Only the full
#    generator, which had nothing to gain, can lose a little: its row says how much.
# 2. For example, colours: the fourth person of section 8 has violet hair, and the preview paints it blue: light and dark are
#    right, a rare hue is not. Or teeth, in the still of the knob: a quarter of the width smears them, at 16 px and at 32. A few
#    channels hold what most people share. More pixels at the same width do not help; wider layers do: the row *found, ½* has
#    the teeth, at the MACs that stand beside it. Sunglasses need more: with this person they are clear in full only.
# 3. The preview of a code gains what the last cell prints, and the full picture loses some dB. Who drags sliders wants the
#    preview to be right; who renders once wants the full picture.
#
# === BEGIN MARK SCHEME ===
# 8 points. (1) 3 points: reads the distance or PSNR with and without (2), and FID beside it (1). (2) 3 points: a concrete
# case (1), a reason (1): the width, or the size where the column *full, seen at 16* shows that a right picture of 16 pixels
# loses it, too; a budget with its MACs (1). (3) 2 points: both figures (1), a choice with a reason (1).
# === END MARK SCHEME ===

# %% [markdown]
# ## 10 · Kernel corner
#
# After the matrix products of a modulated convolution come four passes through memory: the demodulation, the bias, the leaky
# ReLU, and a gain of $\sqrt2$ that restores the variance. Each reads and writes the whole tensor for one operation an element. A
# kernel does all four while an element is in a register: this is the *epilogue* of the convolution.
#
# [Triton](https://triton-lang.org/main/getting-started/tutorials/01-vector-add.html) kernels are written in Python. Many
# copies of the function, *programs*, run at once. `tl.program_id(0)` says which one this is. `tl.arange(0, BLOCK)` is a
# vector of numbers 0 … BLOCK − 1. `tl.load(pointer + offsets, mask=…, other=0.0)` reads a vector of numbers from memory, and
# gives 0.0 where the mask is false; `tl.store(pointer + offsets, values, mask=…)` writes where it is true.
# `tl.where(condition, a, b)` chooses, `tl.sqrt` is what it says. Without a GPU, Triton's interpreter runs the same kernel in
# Python: slow, and exact.

# %% [markdown] exercise="2.14"
# Write the epilogue. The tensor is contiguous, $(N, C, H, W)$, so it is $N \cdot C$ *rows* of `pixels` = $H \cdot W$ numbers.
# Program `row` handles one of them; `BLOCK` is at least `pixels`: mask what is too much. `energy` holds one number for each row,
# $\sum_{i,k,l} w'^2_{noikl}$, and `bias` one for each of the `channels`.
#
# $$ y = \sqrt2 \cdot \operatorname{lrelu}\Big( \frac{x}{\sqrt{e_{nc} + 10^{-8}}} + b_c \Big), \qquad
#    \operatorname{lrelu}(u) = \begin{cases} u & u \ge 0 \\ 0.2\,u & u < 0 \end{cases} $$
#
# <details><summary>Hint 1 · nudge</summary>
#
# Which of the two numbers belongs to a row, and which to a channel?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `tl.load(energy_ptr + row)` and `tl.load(bias_ptr + row % channels)` are single numbers, and need no mask.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `u = x / tl.sqrt(energy + 1e-8) + bias`, then `1.4142135623730951 * tl.where(u >= 0, u, 0.2 * u)`.
# </details>

# %% exercise="2.14"
from efficientlab.exercises.kernel_corner import tl, triton  # Triton itself, where it is installed


@triton.jit
def epilogue_kernel(x_ptr, y_ptr, energy_ptr, bias_ptr, channels, pixels, BLOCK: tl.constexpr):
    """One program finishes one row (one channel of one picture): demodulation, bias, leaky ReLU, gain."""
    ### BEGIN SOLUTION
    row = tl.program_id(0)
    pixel = tl.arange(0, BLOCK)
    valid = pixel < pixels
    x = tl.load(x_ptr + row * pixels + pixel, mask=valid, other=0.0)
    u = x / tl.sqrt(tl.load(energy_ptr + row) + 1e-8) + tl.load(bias_ptr + row % channels)
    y = 1.4142135623730951 * tl.where(u >= 0, u, 0.2 * u)
    tl.store(y_ptr + row * pixels + pixel, y, mask=valid)
    ### END SOLUTION


# %% check="2.14"
lab.check("2.14", epilogue_kernel)

# %% [markdown]
# ## What you have passed

# %%
lab.summary()

# %% [markdown]
# ## What to take with you
#
# - Slice, then modulate, then demodulate: a narrow layer then has the variance that the next one expects.
# - The order of channels is free. Sorting costs nothing and makes wide slices usable; training makes them good.
# - An early exit saves what it does not compute. A picture that is computed and then reduced saves nothing.
# - Good previews are not yet *right* previews. Where weights are shared, agreement must be asked for. Whether it costs quality
#   is to be measured.
# - A rule made by people who know can be as good as a search; the search serves the budgets that the rule has not.
# - MACs are not time: at a batch of 1 a small network waits for its calls.
#
# **Further reading.** [AnyCost GANs](https://arxiv.org/abs/2103.03243) · [StyleGAN2](https://arxiv.org/abs/1912.04958) ·
# [Slimmable networks](https://arxiv.org/abs/1812.08928) · [Once-for-all](https://arxiv.org/abs/1908.09791) ·
# [InterFaceGAN](https://arxiv.org/abs/1907.10786). The faces: "Custom Avatar" by Ashley Seo, CC BY 4.0.
