# %% [markdown]
# # Lab 1 · A generator that fits
#
# A conditional generator turns one picture into another: a drawing into a photograph, a map into an aerial view. It is
# a game in which two networks train each other, and the one that you keep is expensive. In this lab you make
# it cheap with **GAN Compression** ([Li et al., CVPR 2020](https://arxiv.org/abs/2003.08936)): one super student holds
# hundreds of thousands of smaller generators in one set of weights. You cut out the best one that fits a budget.
#
# **What you will have at the end.** Three results that your own code produces:
#
# 1. A student with a small fraction of its teacher's multiplications, whose pictures are nearly as close to the truth,
#    and which beats the same network trained from scratch for as many further steps.
# 2. A search that finds a better student in the super student than making every layer narrower alike does.
# 3. A measured speed-up beside the one that the roofline predicts, and an account of why neither is the ratio of MACs.
#
# **How to work.** Read, write the code of an exercise, run the check below it. Hints unfold. If you are stuck,
# go on: a later section that needs the missing piece says so, and `lab.borrow` hands it out for no points. The **core path**,
# sections 1 to 5, takes about 90 minutes. Sections 6 to 12 go further; they have points of their own. Whoever borrows
# exercises 1.10 and 1.11 sees the search and the comparison of section 7 in ten minutes more; whoever writes everything but
# the kernel corner needs about three hours in all. The experiments take two to three minutes on two quiet CPU cores, most of
# them in section 7. The networks of sections 7 and 8 are kept on disk. When you restart the notebook, they are used again, as
# long as your answers and the profile are the same.
#
# | symbol | meaning |
# |---|---|
# | $N$ | pictures in a batch |
# | $C, H, W$ | channels, rows and columns of a feature tensor |
# | $x, y$ | a drawing and the true picture, $(N, 1, 32, 32)$, pixels in $[-1, 1]$ |
# | $G', G$ | the teacher and the student: generators, from $x$ to a picture |
# | $D$ | the discriminator: from $(x, y)$ to scores, one for each patch |
# | $t_k, s_k$ | features of teacher and student at tap $k$ |
# | MAC | one multiplication and one addition (1 MAC = 2 FLOPs) |

# %% tags=["prelude"]
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.exercises.lab1 import lab
from efficientlab.exercises.profile import choose_profile
from efficientlab.models.gan.pix2pix import Config, Layers, ResNetGenerator, uniform
from efficientlab.models.gan.super_student import CHOICES, WIDTHS, SuperStudent
from efficientlab.training.gan.conditional import Batch

# %% [markdown]
# The numbers that set the size of the experiments stand here, once. `ci` is for a laptop's CPU, `colab` for one T4.
# Set the environment variable `EFFICIENTLAB_PROFILE` before you start Jupyter to choose another one. `full` trains and
# tests on all pictures, which are downloaded (31 MB).

# %%
PROFILES = {
    "ci": {
        "device": "cpu",
        "workers": 2,  # training runs at a time, one core each
        "full_data": False,
        "search_pictures": 300,  # of the validation split
        "population": 16,
        "generations": 8,
        "steps": 200,  # of every training run
        "batch": 8,
        "lr": 1e-4,  # of fine-tuning: small, so as not to undo what the super student has learnt
        "lr_scratch": 6e-3,
        "colour_steps": 500,  # in section 10
        "lr_colour": 3e-3,
        "seeds": 2,
        "more_seeds": 1,  # of the rows of the ablation
        "latency_batch": 32,
    },
    "colab": {
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "workers": 1,
        "full_data": False,
        "search_pictures": 500,
        "population": 16,
        "generations": 12,
        "steps": 600,
        "batch": 8,
        "lr": 1e-4,  # of fine-tuning: small, so as not to undo what the super student has learnt
        "lr_scratch": 3e-3,
        "colour_steps": 2000,
        "lr_colour": 3e-3,
        "seeds": 3,
        "more_seeds": 1,
        "latency_batch": 256,
    },
    "full": {
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "workers": 1,
        "full_data": True,
        "search_pictures": 2000,
        "population": 32,
        "generations": 16,
        "steps": 4000,
        "batch": 8,
        "lr": 1e-4,  # of fine-tuning: small, so as not to undo what the super student has learnt
        "lr_scratch": 1e-3,
        "colour_steps": 2000,
        "lr_colour": 3e-3,
        "seeds": 3,
        "more_seeds": 1,
        "latency_batch": 256,
    },
}
P = choose_profile(PROFILES)
torch.set_num_threads(1)  # so that times do not depend on how many cores are idle

# %% [markdown]
# ## 1 · The problem: a good generator is expensive
#
# The task is **edges → shoes**. The pictures are the sandals, sneakers and boots of
# [Fashion-MNIST](https://arxiv.org/abs/1708.07747), at 32 × 32 pixels. A filter draws the outlines: blur, Sobel
# gradient, and keep a pixel where the gradient is large, and larger than at the two neighbours across the edge. The
# generator is given the outline and must make the picture. What lies between the lines, it must have learnt.
#
# The teacher is a ResNet generator as in [CycleGAN](https://arxiv.org/abs/1703.10593): two steps down, six residual
# blocks, two steps up by transposed convolutions. `python -m efficientlab.training.gan.teacher` trained it in five minutes;
# its weights ship with the course.

# %%
import matplotlib.pyplot as plt

from efficientlab.counters import measure
from efficientlab.datasets.gan.edges import edges2shoes, load_edges2shoes, to_pixels
from efficientlab.models.gan.pretrained import load_discriminator, load_super_student, load_teacher
from efficientlab.training.gan.conditional import translate
from efficientlab.viz.gan.translation import picture_rows
from efficientlab.viz.style import use_style

use_style()
read = load_edges2shoes if P.full_data else edges2shoes
train, val, test = (read(split) for split in ("train", "val", "test"))
teacher = load_teacher().to(P.device)
truth = to_pixels(test.picture)  # (N, 1, 32, 32) in [-1, 1]
teacher_pictures = translate(teacher, test)
print(f"{len(train):,} pairs to train on, {len(val):,} to choose with, {len(test):,} to test")
picture_rows({"drawing": to_pixels(test.drawing), "teacher": teacher_pictures, "truth": truth})
plt.show()

# %% [markdown]
# What does one picture cost, and where?

# %%
UNIFORM = uniform(10)  # the rival that needs no search
one = torch.zeros(1, 1, 32, 32, device=P.device)
teacher_cost = measure(teacher, one, time=False)
parts = ("stem", "down1", "down2", "blocks", "up1", "up2", "head")
rows = {part: teacher_cost[part] for part in parts if part != "blocks"}
blocks_macs = sum(teacher_cost[f"blocks.{i}"].macs for i in range(6))
for part in parts:
    macs = blocks_macs if part == "blocks" else rows[part].macs
    print(f"{part:8}{macs / 1e6:7.2f} M MACs  {'#' * round(60 * macs / teacher_cost.macs)}")
print(f"in all  {teacher_cost.macs / 1e6:7.2f} M MACs, {teacher_cost.params:,} parameters")

# %% [markdown]
# The residual blocks dominate. So that is where to save first: the students' blocks have **depthwise-separable**
# convolutions, a 3×3 filter on each channel alone, and then a 1×1 convolution that mixes channels. And every
# layer may be narrower. How narrow, layer by layer, is what the lab is about.
#
# ## 2 · The game, and three things to learn from
#
# The discriminator $D$ sees a drawing and a picture, and gives a score for every patch: above zero means real. The
# hinge form of the game asks each side for a margin of 1, and no more:
#
# $$ L_D = \mathbb{E}\big[\max(0,\, 1 - D(x, y))\big] + \mathbb{E}\big[\max(0,\, 1 + D(x, G(x)))\big], \qquad
# L_G = -\,\mathbb{E}\big[D(x, G(x))\big]. $$
#
# $\mathbb{E}$ is the mean over the batch and the patches. Each player learns from its own loss. $L_D$ must not move
# the generator, or it would learn to be caught.

# %% [markdown] exercise="1.1"
# Write both losses. `fake` is $G(x)$ and is connected to the generator's weights. Cut that connection where the
# discriminator learns, and only there. There is no `max` in $L_G$: a generator that is already believed may go on.
#
# <details><summary>Hint 1 · nudge</summary>
#
# The same picture `fake` is scored twice. Once it is evidence, once it is something to improve.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `F.relu` is $\max(0, \cdot)$. `fake.detach()` has the same numbers and no history.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Three scores: of the true picture, of the detached fake, of the fake. The first two make $L_D$, the last makes $L_G$.
# </details>


# %% exercise="1.1"
def adversarial_losses(
    discriminator, drawing: Tensor, picture: Tensor, fake: Tensor
) -> tuple[Tensor, Tensor]:
    """The hinge losses (loss_d, loss_g) of one batch, two scalars.

    Shapes: drawing, picture, fake (N, 1, H, W); discriminator(drawing, picture) gives scores (N, 1, h, w).
    """
    ### BEGIN SOLUTION
    real = discriminator(drawing, picture)  # (N, 1, h, w)
    caught = discriminator(drawing, fake.detach())
    loss_d = F.relu(1 - real).mean() + F.relu(1 + caught).mean()
    loss_g = -discriminator(drawing, fake).mean()
    return loss_d, loss_g
    ### END SOLUTION


# %% check="1.1"
lab.check("1.1", adversarial_losses)

# %% [markdown] exercise="1.2"
# The game says what is believable. What belongs to *this* drawing, the **reconstruction** loss says: the mean absolute
# difference to a target.
#
# $$ L_\text{rec} = \mathbb{E}\,|G(x) - y| \quad\text{with pairs,} \qquad
# L_\text{rec} = \mathbb{E}\,|G(x) - G'(x)| \quad\text{without.} $$
#
# Without pairs (horses and zebras: nobody has both pictures of one animal) there is no $y$. But there is a teacher, and
# what it makes of $x$ can be the target. So compression turns unpaired learning into paired learning. The teacher is
# not to learn from it.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Who learns from this loss? Then nobody else may get a gradient.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# The teacher is asked about the drawing, not about the fake, and only where `picture` is None: its answer costs more than
# all the rest.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `with torch.no_grad():` around `picture = teacher(drawing)` cuts the teacher off, and saves the memory of its history, too.
# </details>


# %% exercise="1.2"
def reconstruction_loss(fake: Tensor, drawing: Tensor, picture: Tensor | None, teacher) -> Tensor:
    """Mean absolute difference of `fake` to the true picture or, if there is none, to the teacher's.

    Shapes: fake, drawing, picture (N, 1, H, W); teacher(drawing) gives (N, 1, H, W); returns a scalar.
    """
    ### BEGIN SOLUTION
    if picture is None:
        with torch.no_grad():
            picture = teacher(drawing)
    return (fake - picture).abs().mean()
    ### END SOLUTION


# %% check="1.2"
lab.check("1.2", reconstruction_loss)

# %% [markdown] exercise="1.3"
# A teacher knows more than its last layer shows. **Feature distillation** asks the student to hold, at $K$ taps along the
# residual stream, what the teacher holds there (in section 7, before the blocks and after every second one):
#
# $$ L_\text{dist} = \sum_{k} \frac{\lVert f_k(s_k) - t_k \rVert^2}{\lVert t_k \rVert^2}. $$
#
# The student's features have fewer channels, so a learnt $1 \times 1$ convolution $f_k$ (with a bias) maps them to the
# teacher's. It stands on the student's side: a map that shrank the teacher's features instead could learn to send
# everything to zero, and call it agreement. $\lVert t_k \rVert^2$ is the sum of squares of the whole tensor. The
# paper does not divide by it. A residual stream grows from block to block, and without the division the last tap
# outweighs the others.
#
# The student and the maps learn; the teacher does not. Keep the convolutions in `self.maps`, an `nn.ModuleList`.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Which tensors in the formula have a gradient, and which are constants?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# In `__init__`: one `nn.Conv2d(student, teacher, 1)` for each pair of channel numbers. In `forward`: walk through maps,
# student features and teacher features together with `zip`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `(f(s) - t).square().sum() / t.square().sum()` with `t` detached, summed over the taps.
# </details>


# %% exercise="1.3"
class Distillation(nn.Module):
    """Σ_k ‖f_k(s_k) − t_k‖² / ‖t_k‖² with learnt 1×1 maps f_k from the student's channels to the teacher's.

    Shapes: K student features (N, C_k, H_k, W_k), K teacher features (N, C'_k, H_k, W_k); returns a scalar.
    """

    def __init__(self, student_channels: list[int], teacher_channels: list[int]) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        pairs = zip(student_channels, teacher_channels, strict=True)
        self.maps = nn.ModuleList(nn.Conv2d(s, t, 1) for s, t in pairs)
        ### END SOLUTION

    def forward(self, student_features: list[Tensor], teacher_features: list[Tensor]) -> Tensor:
        ### BEGIN SOLUTION
        total = torch.zeros(())
        for f, s, t in zip(self.maps, student_features, teacher_features, strict=True):
            t = t.detach()
            total = total.to(t.device) + (f(s) - t).square().sum() / t.square().sum()
        return total
        ### END SOLUTION


# %% check="1.3"
lab.check("1.3", Distillation)

# %% [markdown] exercise="1.4"
# Put the terms together:
#
# $$ L = \lambda_\text{GAN} L_G + \lambda_\text{rec} L_\text{rec} + \lambda_\text{dist} L_\text{dist}. $$
#
# `terms` maps each name to a function without arguments that computes the term; `weights` maps it to its $\lambda$. Section
# 7 takes terms away to see what each is worth. A term whose weight is 0 must not be computed: otherwise its time would be
# charged to an experiment that does not use it.
#
# <details><summary>Hint 1 · nudge</summary>
#
# When does a function without arguments cost time?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Loop over the weights, skip zeros, add products.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `sum(w * terms[name]() for name, w in weights.items() if …)`
# </details>


# %% exercise="1.4"
def total_objective(terms, weights: dict[str, float]) -> Tensor:
    """Σ λ · term, a scalar; a term of weight 0 is not computed.

    terms: name → a function without arguments that returns a scalar; weights: name → λ, at least one of them not 0.
    """
    ### BEGIN SOLUTION
    return sum(weight * terms[name]() for name, weight in weights.items() if weight != 0)
    ### END SOLUTION


# %% check="1.4"
lab.check("1.4", total_objective)

# %% [markdown]
# ## 3 · The super student: many networks in one
#
# Which widths are best? To train every configuration is out of the question: eight numbers set the widths of all layers,
# and with five choices for each there are $5^8 = 390{,}625$. So train them all at once. The **super student** has the widest
# layers. A narrower configuration uses only the first channels of each. Every step of its training draws one configuration,
# slices it out, and trains it, and so changes all others that share its weights, for better or for worse. Afterwards any
# configuration can be tried without training.
#
# For that, layers must be *sliceable*. A layer has an attribute `active`: how many output channels to use. How many input
# channels there are, its input says.

# %% [markdown] exercise="1.5"
# Write three layers (a depthwise convolution is the first of them with `groups`). They keep the parameters of the full
# layer, under the same names, and use the first ones.
#
# | layer | weight | of it, use |
# |---|---|---|
# | convolution | $(C_\text{out}, C_\text{in}, k, k)$ | the first `active` outputs, the first `x.shape[1]` inputs |
# | depthwise convolution, `groups` > 1 | $(C, 1, k, k)$ | the first `x.shape[1]`; its groups shrink with its input |
# | transposed convolution | $(C_\text{in}, C_\text{out}, k, k)$ | the same; mind the order |
# | instance norm | $\gamma, \beta$: $(C)$ | the first `x.shape[1]` |
#
# Instance norm makes each channel of each picture zero mean and unit variance over its pixels, then scales and shifts it:
# $\gamma (x - \mu) / \sqrt{\sigma^2 + 10^{-5}} + \beta$. It keeps no running statistics, which is what makes slicing
# simple: a batch norm would have to measure its statistics again for each configuration.
#
# Slice by indexing, so that gradients reach the full weights: `detach()`, `.data` or a new parameter would cut them off.
# `F.conv2d(x, weight, bias, stride, padding, dilation, groups)` takes its weights as arguments;
# `F.conv_transpose2d(x, weight, bias, stride, padding, output_padding)` and `F.group_norm(x, groups, weight, bias)` do as
# well. An instance norm is a group norm with one channel a group.
#
# <details><summary>Hint 1 · nudge</summary>
#
# What decides the number of input channels of a layer: its own setting, or the layer before it?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# A depthwise convolution has as many groups as channels, and its weight's second dimension is 1. So it ignores `active`.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `self.weight[: self.active, : x.shape[1]]` and `self.bias[: self.active]` for the convolution, and `self.weight[: x.shape[1],
# : self.active]` for the transposed one.
# </details>


# %% exercise="1.5"
class SlicedConv2d(nn.Conv2d):
    """A convolution that uses its first `active` output channels; a depthwise one follows its input.

    Shapes: (N, c_in, H, W) → (N, active, H', W') with c_in ≤ in_channels.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.active = self.out_channels

    def forward(self, x: Tensor) -> Tensor:
        ### BEGIN SOLUTION
        c_in = x.shape[1]
        if self.groups > 1:
            weight, bias, groups = self.weight[:c_in], self.bias[:c_in], c_in
        else:
            weight, bias, groups = self.weight[: self.active, :c_in], self.bias[: self.active], 1
        return F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, groups)
        ### END SOLUTION


class SlicedConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution that uses its first `active` output channels.

    Shapes: (N, c_in, H, W) → (N, active, H', W') with c_in ≤ in_channels.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.active = self.out_channels

    def forward(self, x: Tensor) -> Tensor:
        ### BEGIN SOLUTION
        weight = self.weight[: x.shape[1], : self.active]  # (c_in, active, k, k)
        bias = self.bias[: self.active]
        return F.conv_transpose2d(x, weight, bias, self.stride, self.padding, self.output_padding)
        ### END SOLUTION


class SlicedInstanceNorm(nn.Module):
    """Instance norm of as many channels as its input has: (N, C, H, W) → (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        ### BEGIN SOLUTION
        c = x.shape[1]
        return F.group_norm(x, c, self.weight[:c], self.bias[:c])
        ### END SOLUTION


SLICED = Layers(SlicedConv2d, SlicedConvTranspose2d, SlicedInstanceNorm)

# %% check="1.5"
lab.check("1.5", SLICED)

# %% [markdown] exercise="1.6"
# A step of the super student's training begins with a draw. `choices` holds one tuple of widths for each layer. Draw
# each layer's width from its own tuple, all equally likely and independently of the other layers, with the random
# generator `rng`.
#
# <details><summary>Hint 1 · nudge</summary>
#
# `torch.randint(n, (), generator=rng)` draws 0 … n − 1.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Draw an index for each layer, not one for all.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `int(…)` makes a plain number of a drawn tensor, and `tuple(…)` of a generator expression makes the answer.
# </details>


# %% exercise="1.6"
def sample_config(choices, rng: torch.Generator) -> tuple[int, ...]:
    """One width for each layer, drawn uniformly and independently: choices is one tuple of widths a layer."""
    ### BEGIN SOLUTION
    return tuple(widths[int(torch.randint(len(widths), (), generator=rng))] for widths in choices)
    ### END SOLUTION


# %% check="1.6"
lab.check("1.6", sample_config)

# %% [markdown]
# `python -m efficientlab.training.gan.super_student` trained the super student for you, with the objective of section 2 and
# such draws, for 12,000 steps; that is more than a notebook has time for. The log ships beside the weights. The
# weights load into the layers that *you* wrote. Here it is at four uniform widths: every layer has `width` channels,
# times two at half and times four at quarter size.

# %%
lab.needs("1.5")
super_student = load_super_student(SLICED).to(P.device)
some = test[:12]
picture_rows(
    {
        "drawing": to_pixels(some.drawing),
        "teacher": teacher_pictures[:12],
        **{
            f"super student, width {w}": translate(super_student.configure(uniform(w)), some)
            for w in (24, 18, 12, 8)
        },
        "truth": truth[:12],
    }
)
plt.show()

# %% [markdown]
# Look closely: the widest row is not the best one. Section 6 measures it. A likely reason: all widths share their first
# channels, and training drew each width as often. So the channels that only the widest uses were trained the least, and
# they add to sums that all share. Other methods train the widest and the narrowest in every step (the *sandwich rule*,
# [Yu and Huang 2019](https://arxiv.org/abs/1903.05134)) or begin with the widest and shrink it step by step
# ([Once-for-all](https://arxiv.org/abs/1908.09791)).

# %% [markdown]
# ## 4 · What a configuration costs
#
# To search under a budget, a cost must be known before a network is built.

# %% [markdown] exercise="1.7"
# Predict the MACs of a generator for one picture of `size` × `size` pixels, in closed form. `config` has the fields
# `stem, down1, stream, inner1, inner2, inner3, up1, up2`.
#
# | layer | from | to | what |
# |---|---|---|---|
# | stem | 1 | `stem` | 3×3, full size |
# | down 1 | `stem` | `down1` | 3×3, stride 2 |
# | down 2 | `down1` | `stream` | 3×3, stride 2 |
# | 6 blocks | `stream` | `stream` | two 3×3 convolutions, `stream` → inner → `stream`; blocks 1 and 2 have `inner1` channels inside, 3 and 4 `inner2`, 5 and 6 `inner3` |
# | up 1 | `stream` | `up1` | transposed 3×3, stride 2: doubles the size |
# | up 2 | `up1` | `up2` | transposed 3×3, stride 2 |
# | head | `up2` | 1 | 3×3, full size |
#
# If `separable`, each 3×3 convolution of the *blocks* is a depthwise 3×3 and then a 1×1. Norms, ReLUs and biases count
# as 0.
#
# **The trap.** A convolution computes $C_\text{in} k^2$ MACs for each *output* position and channel. A transposed one
# spreads each *input* position over $k^2$ outputs: $C_\text{out} k^2$ MACs for each input position and channel. Tools
# that take the output's size for both are wrong by the square of the stride. The ResNet-9 CycleGAN has 49.55 G MACs; the
# literature often says 56.8 G, and this is the difference.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Which of the sizes `size`, `size / 2` and `size / 4` belongs to each row of the table? For transposed ones, the size of
# the input.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Write `conv(c_in, c_out, side)` and `separable_conv(c_in, c_out, side)`, each in one line.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# A separable convolution costs $9\,C_\text{in}$ for the depthwise part and $C_\text{in} C_\text{out}$ for the 1×1, at each of
# the $(\text{size}/4)^2$ positions.
# </details>


# %% exercise="1.7"
def generator_macs(config: Config, size: int, separable: bool) -> int:
    """MACs of a ResNet generator for one picture of size × size pixels."""
    ### BEGIN SOLUTION
    c, half, quarter = config, size // 2, size // 4

    def conv(c_in, c_out, side):
        return 9 * c_in * c_out * side**2

    def separable_conv(c_in, c_out, side):
        return (9 * c_in + c_in * c_out) * side**2

    in_block = separable_conv if separable else conv
    down = conv(1, c.stem, size) + conv(c.stem, c.down1, half) + conv(c.down1, c.stream, quarter)
    blocks = sum(
        2 * (in_block(c.stream, inner, quarter) + in_block(inner, c.stream, quarter))
        for inner in (c.inner1, c.inner2, c.inner3)
    )
    up = conv(c.stream, c.up1, quarter) + conv(c.up1, c.up2, half) + conv(c.up2, 1, size)
    return down + blocks + up
    ### END SOLUTION


# %% check="1.7"
lab.check("1.7", generator_macs)

# %% [markdown]
# The counter runs a picture through each network and adds up what every operation really does. Beside it stands your
# formula, and what a tool would say that falls into the trap.

# %% tags=["nbval-check-output"]
from efficientlab.models.gan.cyclegan import CycleGANGenerator

lab.needs("1.7")
print(f"{'':24}{'predicted':>12}{'counted':>12}{'transposed at output size':>28}")
for name, config, separable in (
    ("teacher", uniform(24), ()),
    *((f"student, width {w}", uniform(w), ("blocks",)) for w in (24, 18, 15, 12, 10, 8)),
):
    counted = measure(ResNetGenerator(config, separable), torch.zeros(1, 1, 32, 32), time=False).macs
    predicted = generator_macs(config, 32, bool(separable))
    trap = 3 * 9 * (config.stream * config.up1 * 8**2 + config.up1 * config.up2 * 16**2)
    print(f"{name:24}{predicted:>12,}{counted:>12,}{counted + trap:>28,}")
    assert predicted == counted

with torch.device("meta"):  # shapes without numbers: nothing is allocated, nothing computed
    cyclegan = measure(CycleGANGenerator(), torch.empty(1, 3, 256, 256), time=False).macs
trap = 3 * 9 * (256 * 128 * 64**2 + 128 * 64 * 128**2)
print(f"{'CycleGAN, 256 × 256':24}{'':12}{cyclegan:>14,}{cyclegan + trap:>26,}")

# %% [markdown]
# The budget of this lab is what the uniform width 10 costs. Width 24 is the teacher's; 10 lies between two widths that the
# super student was trained with, and can be sliced out all the same. Now the other cost: time.

# %% [markdown] exercise="1.8"
# How many times faster than the teacher is the student of uniform width 10 on this machine? Predict it for a batch of 1
# and for the larger batch: a dictionary `latency_ratios = {"batch of 1": …, "batch of 32": …}` (the larger one is called so on
# every machine). There is no right number here, and your prediction is not graded on how close it is. It must be made
# before you measure.
#
# <details><summary>Hint 1 · nudge</summary>
#
# The table above gives the ratio of MACs. And operators: does the student call fewer than the teacher, or more?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Calling an operator costs a few microseconds, whatever it computes. And depthwise convolutions and norms do little with
# each byte that they move.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Divide the MACs of a picture by the number of convolutions, times the batch. If a core does some tens of thousands of MACs in
# a microsecond, what takes longer in each of the two networks: what one call computes, or the call?
# </details>

# %% exercise="1.8"
### BEGIN SOLUTION
latency_ratios = {
    "batch of 1": 3.0,  # as many calls and more, each of them short
    "batch of 32": 6.0,  # norms, ReLUs and depthwise convolutions do not shrink as the MACs do
}
### END SOLUTION

# %% check="1.8"
lab.check("1.8", latency_ratios)
lab.lock("how many times faster than the teacher", latency_ratios)

# %% [markdown]
# What does the **roofline** say? This device does so many FLOPs a second at best, and moves so many bytes. Each operator
# needs at least the longer of its two times. Add them up over the operators of each network: that is a prediction from
# numbers that were counted, without running the network. A third term is missing in it: the calls themselves. We measure
# what a call costs with the smallest possible one, and add it once for each call.

# %% tags=["result"]
from efficientlab.counters import compare, latency, processor_time, roofline
from efficientlab.viz.comparison import predicted_against_measured

lab.needs("1.8")
roof = roofline(P.device)
print(roof)
rival = ResNetGenerator(UNIFORM, ("blocks",)).eval().to(P.device)
tiny = nn.Conv2d(1, 1, 1).eval().to(P.device)
with torch.inference_mode():
    a_call = latency(tiny, torch.zeros(1, 1, 1, 1, device=P.device)).best
print(f"an operator's call takes {1e6 * a_call:.1f} µs")


def predicted_seconds(net, x, calls=True):
    """Roofline time of each convolution and of every other operator, and the time of their calls."""
    cost = measure(net, x, time=False)
    work = [row for row in cost.rows if row.kind.startswith("Conv")]
    work += [op for op in cost.ops if op.name != "aten.convolution" and op.bytes_moved]
    return sum(roof.seconds(part) + calls * part.calls * a_call for part in work)


speedup, forecast, bare_roof = {}, {}, {}
for name, n in (("batch of 1", 1), ("batch of 32", P.latency_batch)):
    x = torch.zeros(n, 1, 32, 32, device=P.device)
    contest = {"teacher": partial(teacher, x), "student": partial(rival, x)}
    with torch.inference_mode():
        timing = compare(contest, baseline="student", timer=None if x.is_cuda else processor_time)
    speedup[name] = timing.ratio["teacher"]
    forecast[name] = predicted_seconds(teacher, x) / predicted_seconds(rival, x)
    bare_roof[name] = predicted_seconds(teacher, x, calls=False) / predicted_seconds(rival, x, calls=False)
    print(
        f"{name}: measured {speedup[name]}; you said {latency_ratios[name]:.1f}; roofline {bare_roof[name]:.1f}, "
        f"roofline and calls {forecast[name]:.1f}; ratio of MACs {teacher_cost.macs / measure(rival, one, time=False).macs:.1f}"
    )
larger, roofs = speedup["batch of 32"], forecast["batch of 32"]
assert larger.above(1.5)
macs_ratio = teacher_cost.macs / measure(rival, one, time=False).macs
# Of the ratios that the interval leaves open, the one nearest to the forecast:
measured = min(max(larger.low, roofs), larger.high)
assert max(measured / roofs, roofs / measured) < macs_ratio / measured
predicted_against_measured(
    {f"you,\n{k}": v for k, v in latency_ratios.items()}
    | {f"roofline,\n{k}": v for k, v in forecast.items()},
    {f"{who},\n{k}": speedup[k].value for who in ("you", "roofline") for k in speedup},
    "times faster than the teacher",
)
plt.show()

# %% [markdown]
# MACs fell by far more than time. The roofline knows the bytes, and so it comes nearer to the measurement than the ratio of
# MACs does. How near, depends on your machine, and on what the roofline does not know. The next table helps to find that.
#
# **Where does the time go?** The next cell puts a clock around each layer and adds up by kind of layer. Both networks run in
# turn, round after round, on the processor's clock. The columns:
#
# - *of MACs* and *of time*: shares of the network's own sum, the second with a 95 % interval,
# - *ns a MAC*: time divided by MACs,
# - *against the teacher's dense*: the same as a multiple of the teacher's dense convolutions, within each round,
# - *roofs*: time as a multiple of what the roofline says is needed at least.

# %%
from statistics import median

from efficientlab.counters import Ratio
from efficientlab.counters.kind_latency import REST, kind_seconds
from efficientlab.models.gan.pix2pix import InstanceNorm

lab.needs("1.8")


def kind_of(layer):
    if isinstance(layer, nn.ConvTranspose2d):
        return "transposed 3×3"
    if isinstance(layer, nn.Conv2d):
        return "1×1" if layer.kernel_size == (1, 1) else "depthwise 3×3" if layer.groups > 1 else "dense 3×3"
    return "instance norm" if isinstance(layer, InstanceNorm) else None  # all else is the rest


dearer, without_macs = {}, {}  # Ratios, by batch and network
above_roof = {}
for title, n in (("a batch of 32", P.latency_batch), ("a batch of 1", 1)):
    x = to_pixels(test.drawing[:1]).repeat(n, 1, 1, 1).to(P.device)
    both = {"teacher": teacher, "student": rival}
    spent = kind_seconds(both, x, kind_of, rounds=12)
    per_mac = {}  # by network and kind: one number a round
    print(
        f"{title:26}{'calls':>6}{'of MACs':>9}{'of time':>23}{'ns a MAC':>10}{'against the teacher’s dense':>29}{'roofs':>7}"
    )
    for name, net in both.items():
        cost = measure(net, x, time=False)
        layers = {kind: [] for kind in spent[name]}
        for row in cost.rows:
            if kind_of(net.get_submodule(row.name)):
                layers[kind_of(net.get_submodule(row.name))].append(row)
        whole = [sum(parts) for parts in zip(*spent[name].values(), strict=True)]
        idle = [sum(parts) for parts in zip(spent[name][REST], spent[name]["instance norm"], strict=True)]
        without_macs[title, name] = Ratio.of(idle, whole)
        for kind, seconds in sorted(spent[name].items(), key=lambda item: -median(item[1])):
            macs = sum(row.macs for row in layers[kind])
            line = f"{name + ', ' + kind:26}{sum(row.calls for row in layers[kind]) or '':>6}{macs / cost.macs:9.1%}{Ratio.of(seconds, whole)!s:>23}"
            if macs:
                per_mac[name, kind] = [s / macs for s in seconds]
                dearer[title, name, kind] = Ratio.of(per_mac[name, kind], per_mac["teacher", "dense 3×3"])
                line += f"{1e9 * median(per_mac[name, kind]):10.4f}{dearer[title, name, kind]!s:>29}"
            else:
                line += " " * 39
            if layers[kind]:
                above_roof[title, name, kind] = median(seconds) / sum(
                    roof.seconds(row) for row in layers[kind]
                )
                line += f"{above_roof[title, name, kind]:7.1f}"
            print(line)
        print(f"{'':26}{median(whole) * 1e3:.2f} ms in all")
assert all(ratio.above(1.3) for key, ratio in dearer.items() if key[1] == "student")
assert dearer["a batch of 32", "student", "depthwise 3×3"].above(3)
assert without_macs["a batch of 32", "student"].above(0.1)
if P.device == "cpu":
    assert above_roof["a batch of 32", "student", "depthwise 3×3"] > 2

# %% [markdown]
# Read it kind by kind, and write down what you find: question 1 of section 11 asks for it. Every MAC of the student is dearer
# than one of the teacher's dense convolutions. Is it the bytes? The roofline knows them: then *roofs* would be near 1. Is it
# what has no MACs to save? Compare the shares of time of norms and the rest in the two networks. What else do the
# student's convolutions have less of than the teacher's? And which kind is the furthest from what arithmetic and bytes would
# allow: what do all others do that it never does? Then compare the two batches: with a single picture, which kind
# costs more than its share of the work explains? Divide its time by its calls, and hold that against what the cheapest call
# takes.

# %% [markdown]
# ## 5 · Cut one out
#
# A configuration that has been chosen does not need the rest of the super student.

# %% [markdown] exercise="1.9"
# Write `extract`: a `ResNetGenerator(config, ("blocks",))`, made of plain layers, with the super student's first channels
# as weights. It must give the same pictures as the super student set to `config`, and share no memory with it. The
# parameters of the two have the same names.
#
# <details><summary>Hint 1 · nudge</summary>
#
# The small network knows the shape that each of its parameters must have.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Walk through the small network's `state_dict()`. For each name, take the first numbers along every dimension from the
# super student's tensor. That one rule is right for convolutions, transposed convolutions and norms.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# A tensor can be indexed with a tuple of slices: `big[tuple(slice(n) for n in small.shape)]`.
# </details>


# %% exercise="1.9"
def extract(super_student: SuperStudent, config: Config) -> ResNetGenerator:
    """A stand-alone generator of configuration `config` with copies of the super student's first channels."""
    ### BEGIN SOLUTION
    alone = ResNetGenerator(config, ("blocks",))
    big = super_student.state_dict()
    small = {
        name: big[name][tuple(slice(n) for n in tensor.shape)].clone()
        for name, tensor in alone.state_dict().items()
    }
    alone.load_state_dict(small)
    return alone
    ### END SOLUTION


# %% check="1.9"
lab.check("1.9", extract)

# %% tags=["nbval-check-output"]
lab.needs("1.5", "1.6", "1.9")
rng = torch.Generator().manual_seed(0)
drawings = to_pixels(test.drawing[:8]).to(P.device)
for _ in range(5):
    config = Config(*sample_config(CHOICES, rng))
    alone = extract(super_student, config).eval().to(P.device)
    with torch.inference_mode():
        gap = (alone(drawings) - super_student.configure(config)(drawings)).abs().max().item()
    assert gap <= 1e-5, f"{config}: the extracted network differs by {gap}"
print("Five configurations: extracted and sliced agree within 0.00001.")

# %% [markdown]
# ## 6 · Search
#
# **How good is a set of pictures?** The *Fréchet distance* ([FID](https://arxiv.org/abs/1706.08500)) compares the made-up
# pictures with the true ones as two clouds of feature vectors: the distance of their means, and the difference of their
# covariances. The features usually come from a network for photographs; here they come from a small classifier for
# clothes, so its figures compare only with each other. It is 0 for equal sets. *L1* and the *perceptual distance* (in the same
# features) compare each picture with its own truth. *KID* is an unbiased relative of FID.

# %%
from efficientlab.models.gan.features import load_features
from efficientlab.training.gan.distances import (
    features_of,
    frechet_distance,
    kernel_distance,
    perceptual_distance,
)

lab.needs("1.5", "1.7")
features = load_features("fashion")
searched = val[: P.search_pictures]  # the validation split: the test split chooses nothing
searched_truth = features_of(to_pixels(searched.picture), features)  # once, for all configurations


def sliced_fid(config):
    """FID of the super student's pictures on the validation split, set to `config`."""
    pictures = translate(super_student.configure(Config(*config)), searched)
    return frechet_distance(searched_truth, features_of(pictures, features))


def macs_of(config):
    return generator_macs(Config(*config), 32, True)


# %% [markdown]
# With a measure at hand, look back at section 3. How good are the uniform widths, sliced and not tuned, and how good is width
# 10, which was never trained?

# %%
lab.needs("1.5", "1.7")
print(f"{'width':>5}{'M MACs':>8}{'FID':>8}{'L1':>8}")
sliced = {}
for width in sorted({*WIDTHS, UNIFORM.stem}):
    pictures = translate(super_student.configure(uniform(width)), searched)
    sliced[width] = {
        "FID": frechet_distance(searched_truth, features_of(pictures, features)),
        "L1": (pictures - to_pixels(searched.picture)).abs().mean().item(),
    }
    print(
        f"{width:5}{macs_of(uniform(width)) / 1e6:8.2f}{sliced[width]['FID']:8.3f}{sliced[width]['L1']:8.4f}"
        f"{'' if width in WIDTHS else '   never trained'}"
    )
assert sliced[24]["FID"] > 1.5 * sliced[15]["FID"] and sliced[24]["L1"] > 1.03 * sliced[15]["L1"]
assert sliced[10]["L1"] > 1.02 * max(sliced[8]["L1"], sliced[12]["L1"])
assert sliced[8]["FID"] > sliced[10]["FID"] > sliced[12]["FID"]

# %% [markdown]
# More MACs are not always better pictures: from the middle of the table on, both columns get worse. And width 10 is in L1 worse
# than both of its neighbours, even the narrower one: a width that no step trained costs something. In FID it lies between
# them.

# %% [markdown] exercise="1.10"
# Write an evolutionary search: it keeps a population of configurations, lets the best have children, and never looks at
# one that is beyond the budget.
#
# 1. Fill the first generation with `population` different random configurations that `macs` allows. Evaluate them.
# 2. For each further generation, take the best quarter of *everything evaluated so far* as parents. Make `population` new
#    configurations: half by **mutation** (a parent with one or two layers drawn anew), half by **crossover** (each layer from
#    one of two parents). Evaluate them.
# 3. Return the best configuration that was evaluated.
#
# `evaluate(config)` gives a loss; lower is better. It is expensive: call it at most `population` × `generations` times, and
# never twice for the same configuration. All randomness comes from `rng`. If children are hard to find (a small space, a
# tight budget), give up on a generation after some number of attempts.
#
# <details><summary>Hint 1 · nudge</summary>
#
# A dictionary from configurations to losses is population, memory and result in one.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Write `draw(n)` for a random number below `n`, a function that proposes a child from the parents, and a loop that keeps
# proposing until there are enough children that are new and within the budget.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Mutation: `child = list(parent)`, then `child[layer] = choices[layer][draw(len(choices[layer]))]` for one or two drawn
# layers. Crossover: `tuple(pair[draw(2)] for pair in zip(mother, father))`. Keep at least two parents, so that a crossover has two
# to choose from.
# </details>


# %% exercise="1.10"
def evolve(
    evaluate, macs, choices, budget, population: int, generations: int, rng: torch.Generator
) -> tuple[int, ...]:
    """The best configuration within the budget that an evolutionary search finds.

    evaluate: configuration → loss, lower is better; macs: configuration → cost, at most `budget`;
    choices: one tuple of widths a layer.
    """
    ### BEGIN SOLUTION
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
            raise ValueError(f"none of {200 * population} random configurations is within the budget.")
    return min(losses, key=losses.get)
    ### END SOLUTION


# %% check="1.10"
lab.check("1.10", evolve)

# %% [markdown]
# First on a space that is small enough to try everything: three layers may vary among four widths each, the rest is as in
# the uniform network. Does the search find the best, and with how many evaluations? One search may be lucky. All losses are
# known here, so that more searches cost nothing: 21 of them, with a seed each.

# %% tags=["result"]
import itertools

from efficientlab.viz.gan.translation import search_scatter

lab.needs("1.5", "1.7", "1.10")
BUDGET = macs_of(UNIFORM)
small_space = [(n,) for n in UNIFORM]
for layer in (2, 5, 6):  # the stream, the last blocks, the first up-sampling
    small_space[layer] = (UNIFORM[layer], *CHOICES[layer][:3])
everything = {
    config: sliced_fid(config) for config in itertools.product(*small_space) if macs_of(config) <= BUDGET
}
asked, ranks = [], []


def looked_up(config):
    asked.append(config)
    return everything[config]


for seed in range(21):
    asked.clear()
    found = evolve(looked_up, macs_of, small_space, BUDGET, 5, 4, torch.Generator().manual_seed(seed))
    ranks.append(sum(loss < everything[found] for loss in everything.values()) + 1)
ranks.sort()
print(
    f"{len(everything)} configurations are within the budget; a search tried {len(asked)} and found number "
    f"{ranks[0]} to {ranks[-1]}, in the median number {ranks[10]}"
)
assert ranks[10] <= 3

# %% [markdown]
# That was a test of your code and no more: where nearly all that the budget allows is tried, any search finds the best or one
# next to it.
# Now the whole space, and against the alternative that needs no search: all layers narrower alike. Grey points are what the
# search tried first, blue ones what came of them. Keep the table of widths in mind when you read the picture: the uniform
# width of this budget was never trained, and the search uses trained widths alone. Section 7 lets both settle.

# %% tags=["result"]
from tqdm import tqdm

lab.needs("1.5", "1.7", "1.10")
seen = {}
with tqdm(total=P.population * P.generations, unit="configuration", mininterval=1.0) as bar:

    def remembered(config):
        seen[config] = sliced_fid(config)
        bar.update()
        return seen[config]

    selected = Config(
        *evolve(
            remembered,
            macs_of,
            CHOICES,
            BUDGET,
            P.population,
            P.generations,
            torch.Generator().manual_seed(0),
        )
    )
uniform_fid, selected_fid = sliced_fid(UNIFORM), seen[selected]
print(f"uniform  {UNIFORM}: {macs_of(UNIFORM) / 1e6:.2f} M MACs, validation FID {uniform_fid:.3f}")
print(f"selected {selected}: {macs_of(selected) / 1e6:.2f} M MACs, validation FID {selected_fid:.3f}")
assert macs_of(selected) <= BUDGET and teacher_cost.macs >= 9 * macs_of(selected)
assert selected_fid < uniform_fid
order = list(seen.items())


def points(some):
    return [(macs_of(c) / 1e6, loss) for c, loss in some]


search_scatter(
    {
        f"the first {P.population} tried": points(order[: P.population]),
        "evolved": points(order[P.population :]),
    },
    {
        "selected": (macs_of(selected) / 1e6, selected_fid),
        "uniform": (macs_of(UNIFORM) / 1e6, uniform_fid),
    },
    BUDGET / 1e6,
    "FID on the validation split",
)
plt.show()

# %% [markdown]
# That was one search, with one seed. And was it evolution that found the configuration, or would as many draws at random have
# found one as good? Few of all configurations are within so tight a budget: few enough to evaluate every one.
# `python benchmarks/lab1_searches.py` did that, so that more searches cost nothing. Here are 21 of each kind: yours, and one
# that draws as many allowed configurations at random and keeps the best.
#
# A search chooses what is best on the pictures that it looks at, and part of that is luck. So the table judges its choice a
# second time, on the rest of the validation split, which no search has seen. Which of the two columns would you report?
# (FID grows when there are fewer pictures, so read down a column, not along a row.)

# %% tags=["result"]
from functools import cache
from statistics import median

from efficientlab.training.recorded import recorded
from efficientlab.viz.gan.translation import search_curves

lab.needs("1.5", "1.7", "1.10")
SEARCHES = 21  # of each kind, with a seed each


def looked_up_in(known, config, answers):
    answers.append(config)
    return known[config]


def random_search(known, evaluations, seed):
    """The configurations that it asks for, in order."""
    drawn = torch.randperm(len(known), generator=torch.Generator().manual_seed(seed))
    return [list(known)[i] for i in drawn[:evaluations]]


record = recorded("lab1-searches")
if record:  # a copy without the repository lacks it
    known = {tuple(int(n) for n in name.split("-")): loss for name, loss in record["losses"].items()}
    unseen = val[record["pictures"] :]
    unseen_truth = features_of(to_pixels(unseen.picture), features)

    @cache
    def on_other_pictures(config):
        pictures = translate(super_student.configure(Config(*config)), unseen)
        return frechet_distance(unseen_truth, features_of(pictures, features))

    even = known.pop(tuple(UNIFORM))
    asked_for = {"evolution": [], "random": []}  # by each search
    for seed in range(SEARCHES):
        answers, rng = [], torch.Generator().manual_seed(seed)
        evaluate = partial(looked_up_in, known, answers=answers)
        evolve(evaluate, macs_of, CHOICES, BUDGET, P.population, P.generations, rng)
        asked_for["evolution"].append(answers)
        asked_for["random"].append(random_search(known, len(answers), seed))

    print(
        f"{len(known):,} configurations are within the budget; median [lowest, highest] of {SEARCHES} searches"
    )
    print(f"{'FID':14}{'searched pictures':>22}{'number among all':>18}{'other pictures':>22}")
    ends, elsewhere = {}, {}
    for kind, searches in asked_for.items():
        chosen = [min(answers, key=known.get) for answers in searches]
        ends[kind] = [known[config] for config in chosen]
        elsewhere[kind] = [on_other_pictures(config) for config in chosen]
        rank = sum(loss < median(ends[kind]) for loss in known.values()) + 1
        seen, others = (
            f"{median(values):.3f} [{min(values):.3f}, {max(values):.3f}]"
            for values in (ends[kind], elsewhere[kind])
        )
        print(f"{kind:14}{seen:>22}{rank:>18,}{others:>22}")
    best, other_even = min(known, key=known.get), on_other_pictures(tuple(UNIFORM))
    print(f"{'best of all':14}{known[best]:6.3f}{1:>34}{on_other_pictures(best):>8.3f}")
    print(f"{'uniform':14}{even:6.3f}{'':>34}{other_even:>8.3f}")
    for place, values in (("searched", ends), ("other", elsewhere)):
        ahead = [e < r for e, r in zip(*values.values(), strict=True)]
        behind = [e > r for e, r in zip(*values.values(), strict=True)]
        print(f"{place} pictures: evolution is ahead at {sum(ahead)} seeds and behind at {sum(behind)}")
    assert median(ends["evolution"]) <= median(ends["random"])
    assert max(elsewhere["evolution"]) < other_even and max(elsewhere["random"]) < other_even
    shortest = min(len(answers) for answers in asked_for["evolution"])
    search_curves(
        {
            kind: torch.tensor([[known[c] for c in answers[:shortest]] for answers in searches])
            .cummin(1)
            .values
            for kind, searches in asked_for.items()
        },
        {"uniform": even, "best of all": known[best]},
        "FID, best so far",
    )
    plt.show()

# %% [markdown]
# Lines are medians, bands reach from the luckiest to the unluckiest seed. On the pictures that it looks at, evolution wins: its
# median search ends at the very best configuration or next to it (yours draws other numbers than ours), and random search
# ends some places behind. On other pictures little or nothing of that lead is left, seed against seed. What lasts is the lead of both over the
# uniform width. So here it pays to search, and evolution's lead belongs to the pictures that it searched on. In a larger
# space, or with fewer evaluations, it may be more than that: make the same comparison there.
#
# What did the search find: a configuration, or a rule that you could have written down without a search? Question 3 of
# section 11 comes back to it.

# %% [markdown]
# ## 7 · Fine-tune, and compare honestly
#
# A configuration out of the super student has never been trained alone. A short training of its own, **fine-tuning**, lets its
# weights settle without the others. How much that brings, the table below says: compare the rows *sliced, not tuned* and
# *selected*.

# %% [markdown] exercise="1.11"
# Write the training loop. `batches` gives pairs (drawing, picture) and has a length. In each step:
#
# 1. Set both learning rates to `lr` · (1 − i / steps), with $i$ the number of the step, from 0: they fall to zero in a line.
# 2. `fake, features = generator.with_features(drawing)`, and put all into a `Batch(drawing, picture, fake, features,
#    discriminator)`. The losses read from it.
# 3. The discriminator steps first, with `discriminator_loss(batch)`.
# 4. Then the generator, and what is in `also_train` (the maps of the distillation), with `generator_loss(batch)`: against
#    the discriminator that has just learnt.
#
# Both players have an Adam of their own with `betas=(0.5, 0.999)`. The generator's loss also leaves gradients in the
# discriminator's weights; they must not be there when it steps.
#
# <details><summary>Hint 1 · nudge</summary>
#
# What is in `parameter.grad` of the discriminator after the generator's `backward()`?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# For each player: loss, `zero_grad()`, `backward()`, `step()`, in this order, the whole of one before the other begins.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# The learning rate stands in `optimiser.param_groups[0]["lr"]`. The generator's Adam gets `[*generator.parameters(),
# *also_train]`.
# </details>


# %% exercise="1.11"
def fine_tune(generator, discriminator, batches, generator_loss, discriminator_loss, also_train, lr):
    """Train both players in place; returns their losses, two lists of one number a step: (losses_d, losses_g).

    batches: sized, of (drawing, picture), each (N, 1, H, W); the losses map a `Batch` to a scalar; also_train: parameters.
    """
    ### BEGIN SOLUTION
    learners = [*generator.parameters(), *also_train]
    adam_g = torch.optim.Adam(learners, lr=lr, betas=(0.5, 0.999))
    adam_d = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=(0.5, 0.999))
    losses_d, losses_g = [], []
    for step, (drawing, picture) in enumerate(batches):
        for adam in (adam_g, adam_d):
            adam.param_groups[0]["lr"] = lr * (1 - step / len(batches))
        fake, features = generator.with_features(drawing)
        batch = Batch(drawing, picture, fake, features, discriminator)
        for adam, loss_of, losses in (
            (adam_d, discriminator_loss, losses_d),
            (adam_g, generator_loss, losses_g),
        ):
            loss = loss_of(batch)
            adam.zero_grad()
            loss.backward()
            adam.step()
            losses.append(loss.item())
    return losses_d, losses_g
    ### END SOLUTION


# %% check="1.11"
lab.check("1.11", fine_tune)

# %% [markdown]
# Your `adversarial_losses` gives both losses, and the loop asks for one at a time, because the discriminator learns in
# between. So it runs twice a step, and the discriminator six times, where three would do. The next cell saves two of them: when
# the generator's turn comes, only pictures through which a gradient can reach it are scored.

# %%
lab.needs("1.1")


def generators_loss(discriminator, drawing, picture, fake):
    """L_G of `adversarial_losses`, without the scores that L_D alone needs."""

    def fakes_alone(x, y):
        if y.requires_grad:  # the fake; the true picture and a detached fake have no history
            return discriminator(x, y)
        return y.new_zeros(len(y), 1, y.shape[2] // 4, y.shape[3] // 4)

    return adversarial_losses(fakes_alone, drawing, picture, fake)[1]


# %% [markdown]
# One more thing has to be settled before. The maps $f_k$ of the distillation were not kept, and new ones begin with random weights. What
# would the student's features learn from a random map? Nothing good. But for a fixed student the best maps are a
# least-squares problem, which `fit_maps` solves at once. To see that it matters, one contestant goes without.
#
# | contestant | configuration | begins with | learns from |
# |---|---|---|---|
# | selected | found by the search | the super student's weights | game, pairs, teacher |
# | uniform | width 10 everywhere | the super student's weights | game, pairs, teacher |
# | from scratch | the selected one | random weights | game, pairs, teacher |
# | random maps | the selected one | the super student's weights | as *selected*, but the maps begin random |
# | − distillation | the selected one | the super student's weights | game, pairs |
# | − distillation − game | the selected one | the super student's weights | pairs: reconstruction alone |
# | unpaired | the selected one | the super student's weights | game, teacher; no pairs |
#
# All have the same steps, batches and schedule here. Before it, the super student's weights saw many thousands of steps, on
# seven times as many pairs: *from scratch* is what you have without it, not a rival of equal total effort. Random weights get
# a learning rate many times larger (`lr_scratch`), the best of a few that were tried, and maps that begin random: there is nothing
# yet to fit them to. The weights of the terms are those of the super student's training.
#
# *Unpaired* sees true pictures, but in this section never which belongs to which drawing: they are shuffled, its
# discriminator sees no drawing and starts from random weights, and its reconstruction is against the teacher. Its weights
# come from a super student that did see pairs. Everybody else's discriminator starts as the teacher's. Watch the losses
# below: a discriminator that starts from random weights at this learning rate hardly learns in so few steps.

# %%
from efficientlab.models.gan.pix2pix import PatchDiscriminator
from efficientlab.training.gan.conditional import PairBatches
from efficientlab.training.gan.taught import Taught
from efficientlab.training.kept import kept
from efficientlab.training.side_by_side import side_by_side

lab.needs("1.1", "1.2", "1.3", "1.4", "1.5", "1.7", "1.9", "1.10", "1.11")
ALL = {"GAN": 1.0, "reconstruction": 100.0, "distillation": 30.0}
CONTESTANTS = {  # name: (configuration, from the super student?, weights of the terms, pairs?, its seeds)
    "selected": (selected, True, ALL, True, P.seeds),
    "uniform": (UNIFORM, True, ALL, True, P.seeds),
    "from scratch": (selected, False, ALL, True, P.seeds),
    "random maps": (selected, True, ALL, True, P.more_seeds),
    "− distillation": (selected, True, ALL | {"distillation": 0.0}, True, P.more_seeds),
    "− distillation − game": (selected, True, ALL | {"distillation": 0.0, "GAN": 0.0}, True, P.more_seeds),
    "unpaired": (selected, True, ALL, False, P.more_seeds),
}
taught = Taught(
    teacher, train
)  # the teacher's features of each drawing, once for all steps of all contestants


@torch.no_grad()
def fit_maps(distill, generator):
    """Set each map to the least-squares solution of f(s) = t over the pixels of 200 drawings."""
    x = to_pixels(train.drawing[:200]).to(P.device)
    streams = zip(generator.with_features(x)[1], taught(x), strict=True)
    for f, (s, t) in zip(distill.maps, streams, strict=True):
        s, t = (z.movedim(1, -1).flatten(0, 2) for z in (s, t))  # (N · H · W, C) each
        s = torch.cat([s, torch.ones_like(s[:, :1])], 1)  # the last column is for the bias
        solution = torch.linalg.lstsq(s, t).solution  # (C_s + 1, C_t)
        f.weight.copy_(solution[:-1].T[:, :, None, None])
        f.bias.copy_(solution[-1])


def contestant(generator, weights=ALL, paired=True, fitted=True, lr=P.lr, seed=0):
    """A training run of `generator` as a function of a progress bar: it returns the losses of both players."""
    discriminator = load_discriminator() if paired else PatchDiscriminator()
    distill = Distillation([generator.config.stream] * 4, [teacher.config.stream] * 4)
    for net in (generator, discriminator, distill):
        net.train().to(P.device)

    def seen(batch):
        """What the discriminator sees: without pairs no drawing, and pictures out of order."""
        if paired:
            return batch.discriminator, batch.drawing, batch.picture, batch.fake
        return batch.discriminator, torch.zeros_like(batch.drawing), batch.picture.roll(1, 0), batch.fake

    def generator_loss(batch):
        target = batch.picture if paired else None
        terms = {
            "GAN": lambda: generators_loss(*seen(batch)),
            "reconstruction": lambda: reconstruction_loss(batch.fake, batch.drawing, target, teacher),
            "distillation": lambda: distill(batch.features, taught(batch.drawing)),
        }
        return total_objective(terms, weights)

    def discriminator_loss(batch):
        return adversarial_losses(*seen(batch))[0]

    def train_it(bar):
        if fitted:
            fit_maps(distill, generator)
        batches = PairBatches(train, P.steps, P.batch, seed, P.device, bar)
        maps = distill.parameters() if weights["distillation"] else []
        return fine_tune(generator, discriminator, batches, generator_loss, discriminator_loss, maps, lr)

    return train_it


def train_all(part, generators, jobs):
    """The trained generator of each job, and its losses; those that were trained before are used again."""
    losses = kept(
        f"{lab.slug}-{part}-{P.name}",
        generators,
        lambda: side_by_side(jobs, steps=P.steps * len(jobs), workers=P.workers),
        code=(contestant, jobs),
        settings=vars(P),
    )
    return {key: (generators[key].eval(), losses[key]) for key in jobs}


generators, jobs = {}, {}
for name, (config, pretrained, weights, paired, seeds) in CONTESTANTS.items():
    for seed in range(seeds):
        torch.manual_seed(seed)  # of the initial weights
        start = extract(super_student, config) if pretrained else ResNetGenerator(config, ("blocks",))
        fitted = pretrained and name != "random maps"
        lr = P.lr if pretrained else P.lr_scratch
        generators[name, seed] = start
        jobs[name, seed] = contestant(start, weights, paired, fitted, lr, seed)
runs = train_all("contestants", generators, jobs)

# %% [markdown]
# Now the test split. The search never looked at it.


# %%
lab.needs("1.1", "1.2", "1.3", "1.4", "1.5", "1.7", "1.9", "1.10", "1.11")


truth_features = features_of(truth, features)


def quality(pictures):
    """FID, KID, L1 per pixel, and perceptual distance of pictures of the test split."""
    found = features_of(pictures, features)
    return {
        "FID": frechet_distance(truth_features, found),
        "KID": kernel_distance(truth_features, found),
        "L1": (pictures - truth).abs().mean().item(),
        "perceptual": perceptual_distance(pictures, truth, features).mean().item(),
    }


def mean(values):
    return sum(values) / len(values)


test_pictures = {key: translate(generator, test) for key, (generator, _) in runs.items()}
scores = {"teacher": [quality(teacher_pictures)]}
scores["sliced, not tuned"] = [quality(translate(super_student.configure(selected), test))]
for name in CONTESTANTS:
    scores[name] = [quality(test_pictures[name, seed]) for seed in range(CONTESTANTS[name][4])]
average = {name: {m: mean([s[m] for s in some]) for m in some[0]} for name, some in scores.items()}


# %% tags=["result"]
lab.needs("1.1", "1.2", "1.3", "1.4", "1.5", "1.7", "1.9", "1.10", "1.11")


def mean_and_range(name, metric):
    values = [score[metric] for score in scores[name]]
    spread = f" [{min(values):.3f}, {max(values):.3f}]" if len(values) > 1 else ""
    return f"{mean(values):.3f}{spread}"


cost_of = {name: macs_of(contestant[0]) for name, contestant in CONTESTANTS.items()}
cost_of |= {"teacher": teacher_cost.macs, "sliced, not tuned": macs_of(selected)}
parameters_of = {name: sum(p.numel() for p in runs[name, 0][0].parameters()) for name in CONTESTANTS} | {
    "teacher": teacher_cost.params
}
parameters_of["sliced, not tuned"] = parameters_of["selected"]
print("test split; mean, and [lowest, highest] over seeds")
print(f"{'':22}{'M MACs':>7}{'fewer':>7}{'params':>10}{'FID':>21}{'KID':>7}{'L1':>7}{'perceptual':>21}")
for name in scores:
    print(
        f"{name:22}{cost_of[name] / 1e6:7.2f}{teacher_cost.macs / cost_of[name]:6.1f}×{parameters_of[name]:>10,}"
        f"{mean_and_range(name, 'FID'):>21}{average[name]['KID']:7.3f}{average[name]['L1']:7.3f}"
        f"{mean_and_range(name, 'perceptual'):>21}"
    )

# %% tags=["nbval-check-output"]
lab.needs("1.1", "1.2", "1.3", "1.4", "1.5", "1.7", "1.9", "1.10", "1.11")
best, before = average["selected"], average["teacher"]
assert teacher_cost.macs >= 9 * macs_of(selected)
assert best["perceptual"] <= 1.25 * before["perceptual"]
assert best["FID"] <= 0.25
assert best["FID"] < average["from scratch"]["FID"]
assert best["perceptual"] < average["from scratch"]["perceptual"]
assert best["FID"] < average["uniform"]["FID"]
print("The selected student has at least 9 times fewer MACs than the teacher,")
print("a perceptual distance of at most 1.25 times the teacher's, and an FID of at most 0.25.")
print("It beats its own configuration trained from scratch for as many steps, and the uniform width.")

# %% tags=["cover"]
from efficientlab.viz.comparison import quality_against_cost
from efficientlab.viz.style import logarithmic

lab.needs("1.1", "1.2", "1.3", "1.4", "1.5", "1.7", "1.9", "1.10", "1.11")
shown = ("teacher", "selected", "uniform", "from scratch")
cover = quality_against_cost(
    {name: [s["FID"] for s in scores[name]] for name in shown},
    {"million MACs a picture": {name: cost_of[name] / 1e6 for name in shown}},
    "FID, test split (lower is better)",
)
logarithmic(cover.axes[0], "y")
plt.show()

# %%
lab.needs("1.1", "1.2", "1.3", "1.4", "1.5", "1.7", "1.9", "1.10", "1.11")
picture_rows(
    {
        "drawing": to_pixels(test.drawing),
        "teacher": teacher_pictures,
        "selected": test_pictures["selected", 0],
        "uniform": test_pictures["uniform", 0],
        "from scratch": test_pictures["from scratch", 0],
        "unpaired": test_pictures["unpaired", 0],
        "truth": truth,
    }
)
plt.show()

# %% [markdown]
# One or two seeds make no range to judge by. Here is the same table over more of them, for the configuration that our search
# found in the profile `ci`. The runs take longer than this notebook has, so they are recorded:
# `python benchmarks/lab_seeds.py 1` makes them again.

# %%
from efficientlab.training.recorded import show_seeds

show_seeds(1, "test split")

# %% [markdown]
# Read the ablation as it is. The rows *selected*, *− distillation*, and *− distillation − game* differ in one term
# each, at the same number of steps. Make nothing of a difference where the ranges over five seeds overlap. Compare FID with
# L1: a term may help one and cost the other. What does a network make of each pixel that learns from an L1 loss alone, where
# many pictures are plausible? *Unpaired* is close to the row without the game in L1: its discriminator hardly learns.
# What a term was worth in the long training of the super student is another question: here it is taken away for the last
# steps alone.
#
# And compare *selected* with *sliced, not tuned*. So short a fine-tuning makes L1 and the perceptual distance better. FID hardly
# moves: before it is within the range of the five after. What made these pictures is the super student's training, and the
# slicing.
#
# The losses of both players, as running means. Each curve is the sum of its own terms, so compare its course, not its height:

# %%
from efficientlab.viz.gan.translation import player_losses

lab.needs("1.1", "1.2", "1.3", "1.4", "1.5", "1.7", "1.9", "1.10", "1.11")
player_losses({name: runs[name, 0][1] for name in ("selected", "from scratch", "− distillation", "unpaired")})
plt.show()

# %% [markdown]
# ## 8 · Which layers to compress
#
# The students have separable convolutions in the blocks only. Why not everywhere? The next cell trains three generators of
# uniform width from scratch, with the teacher's help, for as many steps as above: dense, separable in the blocks, and
# separable everywhere but in stem and head. They differ in MACs, too, so read the table by rows: what was saved, and what it
# cost. Each has one seed: a difference counts where it is well beyond the range of *from scratch* over five seeds. And all
# are far from done after so few steps: the table says who is ahead at the start, and not who would be at the end. One row
# answers another question. *Blocks* is the uniform width without the super student: how does it compare with *from scratch*,
# the selected widths without it? Is what the search found good in itself, or good in this super student?

# %% tags=["result"]
lab.needs("1.1", "1.2", "1.3", "1.4", "1.5", "1.7", "1.9", "1.10", "1.11")
WHERE = {
    "nowhere": (),
    "blocks": ("blocks",),
    "blocks, down, up": ("blocks", "down", "up"),
}


generators, jobs = {}, {}
for name, separable in WHERE.items():
    torch.manual_seed(0)
    generators[name] = ResNetGenerator(UNIFORM, separable)
    jobs[name] = contestant(generators[name], fitted=False, lr=P.lr_scratch)
separables = train_all("separables", generators, jobs)
print(f"{'separable':20}{'M MACs':>8}{'FID':>8}{'L1':>8}{'perceptual':>12}")
for name, (net, _) in separables.items():
    macs = measure(net, one, time=False).macs
    q = quality(translate(net, test))
    print(f"{name:20}{macs / 1e6:8.2f}{q['FID']:8.3f}{q['L1']:8.4f}{q['perceptual']:12.4f}")

# %% [markdown]
# ## 9 · Try it
#
# A slider over the super student's configurations: the widths outside the blocks and inside them. The
# picture, its MACs, and its time change with them. A picture without a slider is shown where nobody can move one.

# %%
from efficientlab.viz.explore import explore
from efficientlab.viz.gan.translation_demo import edited_drawing, width_explorer

lab.needs("1.5", "1.7")
explore(
    partial(width_explorer, super_student, to_pixels(test.drawing[:6]).to(P.device), generator_macs),
    outside=(12, *(w for w in WIDTHS if w != 12)),
    inside=(12, *(w for w in WIDTHS if w != 12)),
)

# %% [markdown]
# An editor for shoes: take a drawing, move it, make its shaft or sole longer, and see what both generators answer, and how long they
# take for it.

# %%
lab.needs("1.1", "1.2", "1.3", "1.4", "1.5", "1.7", "1.9", "1.10", "1.11")
explore(
    partial(
        edited_drawing, {"teacher": teacher, "selected": runs["selected", 0][0]}, to_pixels(test.drawing[:8])
    ),
    drawing=tuple(range(8)),
    taller=(0, 2, 4),
    right=(0, -4, -2, 2, 4),
)

# %% [markdown]
# ## 10 · In colour
#
# What changes when the picture has three channels? **Edges → emoji** is a set of faces, animals, plants and food, drawn by
# Google for [Noto Emoji](https://github.com/googlefonts/noto-emoji), which may be used freely. The filter is the same: at
# each pixel, the channel that changes most counts. The set is tiny. Hearts in nine colours, or faces that differ by an
# eyebrow, would be one picture in two splits, so such near-duplicates were left out.

# %%
from efficientlab.datasets.gan.edges import Pairs
from efficientlab.datasets.gan.emoji import edges2emoji

emoji_train, emoji_test = edges2emoji("train"), edges2emoji("test")
print(f"{len(emoji_train)} pairs to train on, {len(emoji_test)} to test")
picture_rows({"drawing": to_pixels(emoji_train.drawing), "picture": to_pixels(emoji_train.picture)}, count=8)
plt.show()

# %% [markdown]
# The drawing still has one channel. In the generator only the head changes: it makes 3 channels of `up2`, where it made 1.
# So your formula of exercise 1.7 needs two more heads, $2 \cdot 9 \cdot$ `up2` $\cdot \text{size}^2$.

# %% tags=["nbval-check-output"]
lab.needs("1.7")
print(f"{'':20}{'grey':>12}{'colour':>12}{'counted':>12}{'share of the head':>20}")
for name, config, separable in (("teacher", uniform(24), ()), ("student, width 10", UNIFORM, ("blocks",))):
    grey, head = generator_macs(config, 32, bool(separable)), 9 * config.up2 * 32**2
    predicted = grey + 2 * head
    colourful = ResNetGenerator(config, separable, out_channels=3)
    counted = measure(colourful, torch.zeros(1, 1, 32, 32), time=False).macs
    print(f"{name:20}{grey:>12,}{predicted:>12,}{counted:>12,}{3 * head / predicted:>20.1%}")
    assert predicted == counted

# %% [markdown]
# The teacher hardly notices. The student does: the blocks' MACs fell with about the square of the width, and once more
# because they are separable; the head's fell only with the width itself, and the picture keeps its size. The more a network
# is compressed, the more its ends weigh.
#
# Your losses and your loop never ask how many channels a picture has. The next cell cuts the selected configuration out of
# the super student once more, puts a new head on it, and trains it for a short while. Nobody trained a teacher in colour, so there is no
# distillation. This is one run. Each pair is also shown in the mirror. *Mean picture* is a rival that looks at no drawing: the mean of all
# pictures to train on.

# %% tags=["result"]
from efficientlab.training.side_by_side import progress

lab.needs("1.1", "1.2", "1.4", "1.5", "1.7", "1.9", "1.10", "1.11")
torch.manual_seed(0)  # of the head and the discriminator
in_colour = ResNetGenerator(selected, ("blocks",), out_channels=3)
held = extract(super_student, selected).state_dict()
in_colour.load_state_dict({k: v for k, v in held.items() if not k.startswith("head.")}, strict=False)
in_colour.to(P.device)
colour_discriminator = PatchDiscriminator(picture_channels=3).to(P.device)


def in_the_game(batch):
    return batch.discriminator, batch.drawing, batch.picture, batch.fake


def colour_objective(batch):
    terms = {
        "GAN": lambda: generators_loss(*in_the_game(batch)),
        "reconstruction": lambda: reconstruction_loss(batch.fake, batch.drawing, batch.picture, None),
    }
    return total_objective(terms, {"GAN": 1.0, "reconstruction": 100.0})


both = (emoji_train.drawing, emoji_train.picture)
mirrored = Pairs(*(torch.cat([images, images.flip(3)]) for images in both))
with progress(P.colour_steps) as bar:
    batches = PairBatches(mirrored, P.colour_steps, P.batch, 0, P.device, bar)
    fine_tune(
        in_colour,
        colour_discriminator,
        batches,
        colour_objective,
        lambda batch: adversarial_losses(*in_the_game(batch))[0],
        [],
        P.lr_colour,
    )
emoji_pictures = translate(in_colour.eval(), emoji_test)
emoji_truth = to_pixels(emoji_test.picture)
mean_picture = to_pixels(emoji_train.picture).mean(0)
emoji_l1, rival_l1 = ((some - emoji_truth).abs().mean().item() for some in (emoji_pictures, mean_picture))
print(f"L1 on the test split: student {emoji_l1:.3f}, mean picture {rival_l1:.3f}")
assert emoji_l1 < rival_l1
picture_rows(
    {"drawing": to_pixels(emoji_test.drawing), "student": emoji_pictures, "truth": emoji_truth}, count=8
)
plt.show()

# %% [markdown]
# The student knows what is inside of a line, and that paper is white. Which colour belongs there, the drawing does not say: a
# heart may be red or blue. Often the shape would, but a few hundred shapes are too few to learn it from. So nearly everything
# is painted in the warm colours that are common in the set, and L1 rewards that. In one run of the profile `colab`,
# four times as many steps made the colours livelier, and L1 a little worse: guesses are bolder, and often wrong. With grey shoes the same question
# was smaller: it was only how dark.

# %% [markdown]
# ## 11 · Your turn to judge

# %% [markdown] exercise="1.12"
# Answer in a few sentences each, with numbers from this notebook:
#
# 1. Look at your prediction of exercise 1.8, at the roofline's with and without calls, and at the measurement. Choose a batch
#    at which a prediction is far from the measurement. How large is the gap, and which operators explain it?
# 2. Read the ablation of section 7 and the table of section 8. Which term helps at this scale, in which metric, and which
#    is not shown to? Where would you use separable convolutions?
# 3. The selected configuration: in which layers does it spend more than the uniform one, and in which less? Which of these
#    differences carry its lead? Say what you expect, then test it: `sliced_fid(selected._replace(stem=UNIFORM.stem))` takes a
#    second, and so does every other exchange, in both directions; `macs_of` says what it costs. Is there a rule in it?

# %% [markdown] answer="1.12"
# 1. MACs fall by more than time does, and the table by kind of layer says where the rest is. The student calls more
#    operators than the teacher, because each separable convolution is two. Its dense and 1×1 convolutions have few channels,
#    with which vector units are badly used, so that each of their MACs costs several of the teacher's. Its depthwise
#    convolutions cost even more a MAC. Bytes are not the reason, or their time would be near the roofline's; nor is the call alone, for
#    with one picture one of theirs takes far longer than the cheapest call: it is how they are computed. Norms, ReLUs and sums have no MACs to save. The
#    roofline knows bytes but not badly used units: that is what is left between its ratio and the measured one.
# 2. The rows differ by one term each. Of them, reconstruction alone has the best L1 and the worst FID: under an L1 loss a pixel
#    becomes the median of the plausible pictures, close to many of them, and blurred. (With squares it would be the mean.) The
#    game moves FID down, beyond the ranges over five seeds, and costs L1 and the perceptual distance. The ranges of FID with
#    and without distillation overlap: in these last steps it is not shown to help. With random maps it does harm. Separable blocks save
#    most of the MACs there are; separable down- and up-sampling save a part of what is left, at a price that the table shows.
# 3. To be read from the two configurations' numbers. The search widens `up2`, whose features make the picture, and the layers
#    inside the blocks, where a channel costs little, and pays with `stem`, `down1`, `stream` and `up1`. That the stream is narrow says
#    nothing: the next width on the menu fits the budget in few configurations. Exchange one layer at a time: with the uniform
#    width's `up2`, the selected configuration loses most of its lead; with its `up1`, some; with any other, little. Both together lose all of it. The other
#    way round no single exchange brings the uniform width far: it needs both, `up1` at a trained width and `up2` wide. A rule: do
#    not narrow the end. In the table of all configurations (`known`), `up2` alone explains most of the differences. And it is a
#    rule for this super student: from scratch, the selected widths are not shown to be better than the uniform ones.
#
# === BEGIN MARK SCHEME ===
# 8 points. (1) 3 points: 3 if it cites a measured ratio beside a predicted one and names a cause that fits the batch and the
# table (calls or depthwise layers at one picture; narrow or depthwise layers far above their roofs at many; not bytes alone, which
# the roofline has counted); 2 for such a cause without one of the ratios; 1 for right ratios with a cause that does not fit, or
# for 'MACs are not time' alone. (2) 3 points: a term that helps and one that is not shown to, with figures and the spread over
# seeds (2; 1 if the spread or one of the two terms lacks); a statement about separable layers backed by section 8 (1). (3) 2
# points: differences of the configurations read correctly (1); an expectation, and an exchange with its numbers that confirms
# or refutes it (1).
# === END MARK SCHEME ===

# %% [markdown]
# ## 12 · Kernel corner
#
# After most convolutions comes an instance norm, and after many of those a ReLU. Each is a pass or more through memory: one to find mean and
# variance, one to normalise, one to clip. A channel of a picture is small enough to be kept by one program: then the whole of
# it is one load and one store.
#
# [Triton](https://triton-lang.org/main/getting-started/tutorials/01-vector-add.html) kernels are written in Python. Many
# copies of the function, *programs*, run at once. `tl.program_id(0)` says which one this is. `tl.arange(0, BLOCK)` is a
# vector of numbers 0 … BLOCK − 1. `tl.load(pointer + offsets, mask=…, other=0.0)` reads a vector of numbers from memory,
# and gives 0.0 where the mask is false; `tl.store(pointer + offsets, values, mask=…)` writes where it is true. `tl.sum(v,
# 0)` adds a vector up, `tl.where(condition, a, b)` chooses, `tl.sqrt` and `tl.maximum` are what they say. Without a GPU,
# Triton's interpreter runs the same kernel in Python: slow, and exact.

# %% [markdown] exercise="1.13"
# Write instance norm and ReLU as one kernel. The tensor is contiguous, $(N, C, H, W)$, so it is $N \cdot C$ *rows* of
# `pixels` = $H \cdot W$ numbers. Program `row` handles one of them, and `BLOCK` is at least `pixels`: mask what is too much.
#
# $$ y = \max\!\Big(0,\; \gamma_c \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta_c\Big), \qquad
# \mu = \frac{1}{P}\sum_p x_p, \quad \sigma^2 = \frac{1}{P}\sum_p (x_p - \mu)^2, $$
#
# with $P$ = `pixels` and $c$ the row's channel.
#
# <details><summary>Hint 1 · nudge</summary>
#
# What is $x - \mu$ in the places beyond the row's end, and does it belong into $\sigma^2$?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `row % channels` is the channel. Set the differences to 0 where the mask is false before you square and add them.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `mean = tl.sum(x, 0) / pixels`, `centred = tl.where(valid, x - mean, 0.0)`, and the variance is the sum of
# `centred * centred` over `pixels`.
# </details>

# %% exercise="1.13"
from efficientlab.exercises.kernel_corner import tl, triton  # Triton itself, where it is installed


@triton.jit
def norm_relu_kernel(x_ptr, y_ptr, weight_ptr, bias_ptr, channels, pixels, eps, BLOCK: tl.constexpr):
    """One program normalises one row (one channel of one picture), scales, shifts and clips it."""
    ### BEGIN SOLUTION
    row = tl.program_id(0)
    channel = row % channels
    pixel = tl.arange(0, BLOCK)
    valid = pixel < pixels
    x = tl.load(x_ptr + row * pixels + pixel, mask=valid, other=0.0)
    mean = tl.sum(x, 0) / pixels
    centred = tl.where(valid, x - mean, 0.0)
    variance = tl.sum(centred * centred, 0) / pixels
    scale = tl.load(weight_ptr + channel) / tl.sqrt(variance + eps)
    y = tl.maximum(centred * scale + tl.load(bias_ptr + channel), 0.0)
    tl.store(y_ptr + row * pixels + pixel, y, mask=valid)
    ### END SOLUTION


# %% check="1.13"
lab.check("1.13", norm_relu_kernel)

# %% [markdown]
# ## What you have passed

# %%
lab.summary()

# %% [markdown]
# ## What to take with you
#
# - A super student is trained once and holds many networks. The weights of a configuration are slices of it.
# - Choose with the validation split and shared weights, then fine-tune, then test once.
# - The rivals that matter are the uniform width at the same MACs, a random search with as many evaluations, and the same
#   network from scratch with as much training in all, which this notebook has no time for. Judge a search on pictures that it
#   has not seen.
# - MACs are not time. Separable layers trade arithmetic for calls, for bytes, and for work that vector units do badly.
# - Each term of a loss is worth what an ablation with equal budgets says, in the metric that you care about.
#
# **Further reading.** [GAN Compression](https://arxiv.org/abs/2003.08936) ·
# [pix2pix](https://arxiv.org/abs/1611.07004) · [CycleGAN](https://arxiv.org/abs/1703.10593) ·
# [Once-for-all](https://arxiv.org/abs/1908.09791) · [AnyCost GANs](https://arxiv.org/abs/2103.03243).
