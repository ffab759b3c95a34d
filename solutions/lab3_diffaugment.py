# %% [markdown]
# # Lab 3 · A GAN from a hundred pictures
#
# A generative adversarial network (GAN) learns to make pictures like the ones it was shown. The famous ones were shown
# a hundred thousand. With a hundred, training goes well for a while, then it stalls, and in most runs the pictures get
# worse again. In this lab you find out why, try the obvious remedy, see it fail, and build the one that works: **differentiable
# augmentation** (DiffAugment) of [Zhao, Liu, Lin, Zhu and Han, NeurIPS 2020](https://arxiv.org/abs/2006.10738).
#
# **What you will have at the end.** Three results that your own code produces:
#
# 1. A discriminator caught learning a hundred pictures by heart.
# 2. One transform, put into one training loop in three different ways: in two of them its traces appear in the
#    generated pictures, in the third it makes the same hundred pictures go further.
# 3. *Further:* a measurement of what augmentation is worth in pictures.
#
# **How to work.** Read, write the code of an exercise, run the check below it. Hints unfold. If you are stuck, go on: a
# later section that needs the missing piece says so, and `lab.borrow` hands it out for no points. The **core path**,
# sections 1 to 4, takes about 90 minutes. Sections 5 to 9 go further; they have points of their own. The experiment trains
# four small GANs, which takes one and a half to three minutes on two CPU cores. The trained networks are kept on disk. When
# you restart the notebook, run the check cells again: the networks are used again, as long as your answers and the profile
# are the same.
#
# | symbol | meaning |
# |---|---|
# | $N$ | pictures in a batch |
# | $C$ | channels of a picture: 1 for grey, 3 for colour |
# | $H, W$ | rows and columns of a picture |
# | $x$ | a real picture, values in $[-1, 1]$ |
# | $z$ | a latent vector: 64 numbers, each drawn from a standard normal distribution |
# | $G$ | the generator: $z \mapsto$ a picture |
# | $D$ | the discriminator: a picture $\mapsto$ a score, high for pictures that it takes for real |
# | $T$ | a random augmentation: a picture $\mapsto$ a picture |

# %% tags=["prelude"]
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.exercises.lab3 import lab
from efficientlab.exercises.lab3.outcome import VARIANTS
from efficientlab.exercises.profile import choose_profile

# %% [markdown]
# The numbers that set the size of the experiments stand here, once. `ci` is for a laptop's CPU, `colab` for one T4.
# Set the environment variable `EFFICIENTLAB_PROFILE` before you start Jupyter to choose another one.

# %%
PROFILES = {
    "ci": {
        "device": "cpu",
        "workers": 2,  # training runs at a time, one core each
        "pictures": 100,  # to learn from
        "steps": 1500,  # of G and of D
        "batch": 16,
        "width": 32,  # channels of D's first layer
        "every": 250,  # steps between measurements
        "detector_steps": 150,
        "seed": 100,  # of your runs; the logged ones have others
    },
    "colab": {
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "workers": 1,
        "pictures": 100,
        "steps": 6000,
        "batch": 32,
        "width": 64,
        "every": 500,
        "detector_steps": 300,
        "seed": 100,
    },
}
P = choose_profile(PROFILES)
torch.set_num_threads(1)  # so that times do not depend on how many cores are idle

# %% [markdown]
# ## 1 · The problem: a discriminator with a good memory
#
# Here are all the pictures that our GANs may learn from: ten of each class of
# [Fashion-MNIST](https://arxiv.org/abs/1708.07747), padded to 32 × 32 pixels. Others of the same kind are held out: no
# GAN ever trains on them. Some serve to watch the runs, and the test pictures are for the final figures alone.

# %%
import matplotlib.pyplot as plt

from efficientlab.datasets.gan.few_shot import fashion_few_shot, people_few_shot
from efficientlab.viz.gan.samples import sample_grids
from efficientlab.viz.style import use_style

use_style()
data = fashion_few_shot(P.pictures)
print(
    f"training pictures {tuple(data.train.shape)}, held out {len(data.held_out)}, for the test {len(data.test)}"
)
sample_grids({"everything there is to learn from": data.train}, columns=20, width=5.4)
plt.gcf().set_size_inches(5.6, 1.8)
plt.show()

# %% [markdown]
# A GAN is a game of two networks. The generator $G$ makes pictures $G(z)$ from random vectors $z$. The discriminator
# $D$ scores pictures, and learns to score real ones high and generated ones low. The generator learns to be scored
# high:
#
# $$ L_D = \mathbb{E}_x \max(0,\ 1 - D(x)) + \mathbb{E}_z \max(0,\ 1 + D(G(z))), \qquad L_G = -\,\mathbb{E}_z\, D(G(z)). $$
#
# $\mathbb{E}$ is the mean over pictures. This is the *hinge* form of the game: once a real picture scores above 1, or a
# generated one below −1, it has no more weight.
#
# The generator never sees a real picture. All that it knows about them comes to it through $D$'s gradient. So what $D$
# knows is what matters, and with a hundred pictures there is an easy way to know them: by heart.

# %% [markdown] exercise="3.1"
# Write the measurement. A discriminator *accepts* a picture if its score is above 0. Give the share of pictures that it
# accepts, for three sets: its own training pictures, held-out real pictures of the same kind, and generated pictures.
# And give the *gap*,
#
# $$ \text{gap} = \frac{|\{x \in \text{train} : D(x) > 0\}|}{|\text{train}|} - \frac{|\{x \in \text{held-out} : D(x) > 0\}|}{|\text{held-out}|}. $$
#
# Both sets are real pictures. A discriminator that knows what clothes look like cannot tell them apart: its gap is 0. A
# gap of 1 means that it knows the training pictures one by one.
#
# <details><summary>Hint 1 · nudge</summary>
#
# `D(x) > 0` is a tensor of truth values. What is the mean of numbers that are 0 or 1?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# A measurement leaves no trace: ask the network in evaluation mode, without gradients, and give it back in the mode in
# which it came. `discriminator.training` says which one that is.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `(discriminator(x) > 0).float().mean().item()` is one share as a Python number. The gap keeps its sign.
# </details>


# %% exercise="3.1"
@torch.no_grad()
def overfitting(discriminator: nn.Module, train: Tensor, held_out: Tensor, fake: Tensor) -> dict[str, float]:
    """Shares of pictures with a score above 0: "train", "held_out", "fake"; and "gap", train minus held_out.

    Shapes: pictures (n, C, H, W); discriminator maps them to scores (n,). It is asked in evaluation mode, and
    left in the mode that it came in. Returns Python numbers.
    """
    ### BEGIN SOLUTION
    training = discriminator.training
    discriminator.eval()
    rates = {
        name: (discriminator(pictures) > 0).float().mean().item()
        for name, pictures in (("train", train), ("held_out", held_out), ("fake", fake))
    }
    discriminator.train(training)
    return {**rates, "gap": rates["train"] - rates["held_out"]}
    ### END SOLUTION


# %% check="3.1"
lab.check("3.1", overfitting)

# %% [markdown]
# Now look at a GAN that is trained on the hundred pictures without any augmentation. To show where this goes, the next
# picture uses *logged* runs: `benchmarks/lab3_seeds.py` made them with the code of this lab's solution, over several
# seeds, before you came. Your own runs follow in section 4.
#
# **FID** (Fréchet inception distance) measures how far a set of generated pictures is from a set of real ones: 0 for the
# same distribution, and larger the further apart (held-out and test pictures, both real, are 0.1 apart). It compares means
# and covariances of a network's features. We take a small network that was trained on clothes
# (`efficientlab.models.gan.features`), so our numbers compare with each other, and not with papers that use Inception. A
# second measure in the same features, **KID** (kernel inception distance), stands beside it in the table of section 4: it
# has no bias from small sets.

# %%
import json

from efficientlab.datasets.files import data_path
from efficientlab.viz.gan.samples import memory_curves

logs = json.loads(data_path("few_shot_runs.json").read_text(encoding="utf-8"))["runs"]
forgetful = [run for run in logs if run["variant"] == "none" and run["pictures"] == 100]
print(f"logged runs: {len(logs)}; shown here: {len(forgetful)}, without augmentation, from 100 pictures")
risen = [run for run in forgetful if run["fid"][-1] > min(run["fid"])]
print(f"the FID at the end is above the run's best in {len(risen)} of {len(forgetful)}")
assert len(risen) > len(forgetful) / 2
memory_curves(forgetful)
plt.show()

# %% [markdown]
# Read the two panels together. The discriminator soon accepts nearly all of its training pictures and few of the
# held-out ones, although both are real. So its gradient says less and less of what clothes look like, and more and more of
# how a picture differs from these hundred. The FID falls more slowly and then stops; in most runs it turns and rises: the
# pictures get worse while training goes on.
#
# ## 2 · The idea: show different pictures, and be differentiable
#
# In classification one fights memorising with *augmentation*: show each picture moved, recoloured, cut, so that no two
# epochs are the same. Let $T$ be such a random transform. In a GAN there are three places for it.
#
# | variant | real pictures, in $D$'s step | generated, in $D$'s step | generated, in $G$'s step |
# |---|---|---|---|
# | none | $x$ | $G(z)$ | $G(z)$ |
# | reals only | $T(x)$ | $G(z)$ | $G(z)$ |
# | D only | $T(x)$ | $T(G(z))$ | $G(z)$ |
# | DiffAugment | $T(x)$ | $T(G(z))$ | $T(G(z))$ |
#
# Of the three with $T$ only the last one asks $D$ the same question everywhere. But it has a price: in $G$'s step the gradient must pass
# through $T$. So $T$ must be differentiable in its picture. That is why $T$ is made of sums, products, means and
# copies, on the GPU, in the training step, and not of a picture library's functions in the data loader.
#
# $T$ has three steps here, those of the paper: **colour**, **translation**, **cutout**. Move the sliders. On the right
# is the size of the gradient of $\tfrac12 \sum T(x)^2$ with respect to each pixel of $x$. What $T$ cut away or pushed out of
# the picture is black, or nearly: such a pixel still counts in the mean $M$ of contrast, and nowhere else. (Where $T(x)$ itself
# is 0, a mid grey, this gradient is 0 as well.) These people are from [Noto Emoji](https://github.com/googlefonts/noto-emoji) (Apache
# License 2.0): in colour, so that saturation shows. The clothes of the experiment are grey. Their one channel is its own mean
# over channels, so saturation leaves it as it is: there, colour means brightness and contrast.

# %%
from efficientlab.viz.explore import explore
from efficientlab.viz.gan.augment import draw_policy

people = people_few_shot(500)
explore(
    partial(draw_policy, people.train[27]),
    brightness=(0.25, -0.5, -0.25, 0.0, 0.5),
    saturation=(0.4, 0.0, 1.0, 1.5, 2.0),
    contrast=(1.25, 0.5, 0.75, 1.0, 1.5),
    rows=(3, -4, -2, 0, 2, 4),
    columns=(-2, -4, 0, 2, 4),
    hole=("right", "none", "centre", "corner"),
)

# %% [markdown] exercise="3.2"
# Write the three transforms of colour, one after the other: each takes the picture as the one before left it, and its
# means as well. For each picture of the batch draw three numbers, independently and uniformly, from `rng`:
#
# | transform | formula | drawn from |
# |---|---|---|
# | brightness | $y = x + b$ | $b \sim U(-0.5,\ 0.5)$ |
# | saturation | $y' = \mu + s\,(y - \mu)$, with $\mu$ the mean of $y$ over channels, at each pixel | $s \sim U(0,\ 2)$ |
# | contrast | $y'' = M + k\,(y' - M)$, with $M$ the mean of $y'$ over channels and pixels, of each picture | $k \sim U(0.5,\ 1.5)$ |
#
# $x, y, y'$ and the result $y''$ are $(N, C, H, W)$. A picture is *not* clipped to $[-1, 1]$ afterwards: where a clip is
# active its gradient is zero. The check does not know what you draw. It recovers $b$, $s$ and $k$ from your output, and
# judges formula, gradient, ranges and distribution.
#
# <details><summary>Hint 1 · nudge</summary>
#
# A number for each picture is a tensor of shape $(N, 1, 1, 1)$. Which shape have $\mu$ and $M$?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device, dtype=x.dtype)` draws from $U(0, 1)$. Shift and scale it
# to each range.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# With `y` for the picture as the step before left it, `y.mean(1, keepdim=True)` is $\mu$, and
# `y.mean((1, 2, 3), keepdim=True)` is $M$. Do not detach them: the picture flows through them, too.
# </details>


# %% exercise="3.2"
def color(x: Tensor, rng: torch.Generator) -> Tensor:
    """Random brightness, saturation and contrast, drawn for each picture alone. The draws come from rng.

    Shapes: x (N, C, H, W), floating; returns the same shape and dtype, on the same device. Differentiable in x.
    """

    ### BEGIN SOLUTION
    def draw() -> Tensor:
        return torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device, dtype=x.dtype)  # (N, 1, 1, 1)

    y = x + (draw() - 0.5)
    mean = y.mean(1, keepdim=True)  # (N, 1, H, W)
    y = (y - mean) * (2 * draw()) + mean
    mean = y.mean((1, 2, 3), keepdim=True)  # (N, 1, 1, 1)
    return (y - mean) * (draw() + 0.5) + mean
    ### END SOLUTION


# %% check="3.2"
lab.check("3.2", color)

# %% [markdown] exercise="3.3"
# Move each picture by $u$ rows and $v$ columns, whole numbers, and put zeros where nothing comes from:
#
# $$ y_{n,c,i,j} = \begin{cases} x_{n,c,\,i+u_n,\,j+v_n} & 0 \le i + u_n < H \text{ and } 0 \le j + v_n < W \\ 0 & \text{else} \end{cases} $$
#
# with $u_n$ uniform on $\{-H/8, \dots, H/8\}$ and $v_n$ uniform on $\{-W/8, \dots, W/8\}$, both ends included,
# independent of each other and drawn for each picture.
#
# <details><summary>Hint 1 · nudge</summary>
#
# For each picture and each row $i$ of the result, the row to read is $i + u_n$: a table of shape $(N, H)$. The same for
# columns.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Two ways: index `x` with three tables that broadcast to $(N, H, W)$ (the picture, the row, the column), with what lies
# outside clamped first and set to zero after. Or pad `x` by the largest shift and cut a window from it for each
# picture. `torch.randint` leaves its upper end out.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `x.movedim(1, 3)[n, rows, columns]`, with `n` of shape $(N, 1, 1)$, `rows` $(N, H, 1)$, `columns` $(N, 1, W)$, gives
# $(N, H, W, C)$. Multiply by what is inside, and move the channels back.
# </details>


# %% exercise="3.3"
def translation(x: Tensor, rng: torch.Generator) -> Tensor:
    """Move each picture by up to an eighth of its rows and of its columns, with zeros from outside.

    Shapes: x (N, C, H, W), H and W multiples of 8; returns the same shape. Differentiable in x; the draws come from rng.
    """

    ### BEGIN SOLUTION
    def read(length: int) -> tuple[Tensor, Tensor]:
        """Where each row (or column) is read, and whether that is inside: both (N, length)."""
        reach = length // 8
        shift = torch.randint(-reach, reach + 1, (len(x), 1), generator=rng, device=x.device)
        index = torch.arange(length, device=x.device) + shift
        return index.clamp(0, length - 1), (index >= 0) & (index < length)

    (rows, rows_inside), (columns, columns_inside) = read(x.shape[2]), read(x.shape[3])
    picture = torch.arange(len(x), device=x.device)[:, None, None]  # (N, 1, 1)
    moved = x.movedim(1, 3)[picture, rows[:, :, None], columns[:, None, :]]  # (N, H, W, C)
    inside = rows_inside[:, :, None] & columns_inside[:, None, :]  # (N, H, W)
    return (moved * inside[..., None]).movedim(3, 1)  # (N, C, H, W)
    ### END SOLUTION


# %% check="3.3"
lab.check("3.3", translation)

# %% [markdown] exercise="3.4"
# Put zeros into a rectangle of $H/2$ rows and $W/2$ columns, the same in all channels. Its centre is uniform on
# $\{0, \dots, H\} \times \{0, \dots, W\}$, so parts of it may lie outside. With the centre $(a, b)$ it covers the rows
# $a - H/4, \dots, a + H/4 - 1$ and the columns $b - W/4, \dots, b + W/4 - 1$.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Which rows are covered? A table of truth values, $(N, H)$. And which columns?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# A pixel lies in the hole if its row *and* its column are covered. Broadcasting joins $(N, 1, H, 1)$ and
# $(N, 1, 1, W)$.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `index = torch.arange(H)`; covered where `(index >= a - H // 4) & (index < a + H // 4)` with `a` of shape $(N, 1)$.
# Then `x.masked_fill(hole, 0)`, without an underscore.
# </details>


# %% exercise="3.4"
def cutout(x: Tensor, rng: torch.Generator) -> Tensor:
    """Put zeros into a rectangle of H / 2 rows and W / 2 columns, centred anywhere in the picture.

    Shapes: x (N, C, H, W), H and W multiples of 4; returns the same shape. Differentiable in x; the draws come from rng.
    """

    ### BEGIN SOLUTION
    def covered(length: int) -> Tensor:
        """Which rows (or columns) lie in a picture's hole: (N, length)."""
        centre = torch.randint(0, length + 1, (len(x), 1), generator=rng, device=x.device)
        index = torch.arange(length, device=x.device)
        return (index >= centre - length // 4) & (index < centre + length // 4)

    hole = covered(x.shape[2])[:, None, :, None] & covered(x.shape[3])[:, None, None, :]  # (N, 1, H, W)
    return x.masked_fill(hole, 0)
    ### END SOLUTION


# %% check="3.4"
lab.check("3.4", cutout)

# %% [markdown] exercise="3.5"
# A *policy* names the steps and their order, such as `"color,translation,cutout"`. Write $T$ as their composition.
# `steps` maps a name to a function.
#
# <details><summary>Hint 1 · nudge</summary>
#
# What goes into the second step: the picture that came in, or what the first step returned?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `"a,b".split(",")` is `["a", "b"]`, but `"".split(",")` is `[""]`, a list with one empty name.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# A loop over names with `x = steps[name](x, rng)`. Before it, or in it: `if name not in steps: raise ValueError(...)`,
# with the name in the text.
# </details>


# %% exercise="3.5"
def diff_augment(x: Tensor, policy: str, steps: dict, rng: torch.Generator) -> Tensor:
    """Apply the steps of a policy, such as "color,cutout", in the order in which it names them.

    steps: from a name to a function (x, rng) → x. An empty policy changes nothing.
    Raises ValueError, with the name, for a step that does not exist.
    """
    ### BEGIN SOLUTION
    for name in policy.split(",") if policy else []:
        if name not in steps:
            raise ValueError(f"no step is called {name!r}; there are {', '.join(steps)}")
        x = steps[name](x, rng)
    return x
    ### END SOLUTION


# %% check="3.5"
lab.check("3.5", diff_augment)

# %% [markdown]
# Put the pieces together and look at the draws. Each row is one step, the last row is the whole policy; each column is
# a draw of its own.

# %%
from efficientlab.viz.gan.augment import draws_table

lab.needs("3.2", "3.3", "3.4", "3.5")
STEPS = {"color": color, "translation": translation, "cutout": cutout}


def T(x: Tensor, rng: torch.Generator) -> Tensor:
    """The whole policy: (N, C, H, W) → (N, C, H, W)."""
    return diff_augment(x, "color,translation,cutout", STEPS, rng)


draws_table(people.train[27], {**STEPS, "all three": T})
plt.show()

# %% [markdown]
# Two pictures of the same person have little in common for a network that compares pixels, and everything for one that
# knows what a person is. That is the point.
#
# ## 3 · Where T goes
#
# Now the two losses. In the code below `T` is a function of pictures alone; the training loop has already bound its
# `rng`.

# %% [markdown] exercise="3.6"
# Write the loss of the discriminator's step, with $T$ on both halves:
#
# $$ L_D = \frac1N \sum_n \max\big(0,\ 1 - D(T(x_n))\big) + \frac1N \sum_n \max\big(0,\ 1 + D(T(G(z_n)))\big) $$
#
# Every picture is drawn for alone. This step trains $D$: no gradient may reach the generator. (The loop of section 4 makes
# the pictures of this step without a history, so there a detach changes nothing. A loss should not rely on its caller: in
# a loop that uses the same generated pictures in both steps, the gradient would reach $G$.) And a hint for speed: $D$
# judges each picture alone, so both halves can go through $T$ and $D$ in one pass, which is faster than two on small
# pictures. The check takes either.
#
# <details><summary>Hint 1 · nudge</summary>
#
# What would the generator learn if this loss reached it? It would learn to be caught.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# `torch.cat` puts the halves together, `chunk(2)` takes the scores apart. `F.relu` is $\max(0, \cdot)$.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `discriminator(T(torch.cat([real, fake.detach()]))).chunk(2)` gives both halves of the scores. Then two means, added.
# </details>


# %% exercise="3.6"
def discriminator_loss(discriminator: nn.Module, real: Tensor, fake: Tensor, T) -> Tensor:
    """The hinge loss of D's step, with T on everything that D sees; no gradient reaches the generator.

    Shapes: real and fake (N, C, H, W); T maps pictures to pictures of the same shape; D maps them to scores (N,).
    """
    ### BEGIN SOLUTION
    pictures = torch.cat([real, fake.detach()])  # (2N, C, H, W)
    real_scores, fake_scores = discriminator(T(pictures)).chunk(2)  # (N,) each
    loss_real = F.relu(1 - real_scores).mean()
    loss_fake = F.relu(1 + fake_scores).mean()
    return loss_real + loss_fake
    ### END SOLUTION


# %% check="3.6"
lab.check("3.6", discriminator_loss)

# %% [markdown] exercise="3.7"
# Write the loss of the generator's step:
#
# $$ L_G = -\frac1N \sum_n D(T(G(z_n))). $$
#
# The gradient has a long way: from $D$ to its input, through $T$, to $G$. By the chain rule
#
# $$ \frac{\partial L_G}{\partial \theta} = \frac{\partial L_G}{\partial D}\ \frac{\partial D}{\partial T}\ \underbrace{\frac{\partial T}{\partial G}}_{\text{this lab's subject}}\ \frac{\partial G}{\partial \theta}, $$
#
# with $\theta$ the weights of $G$. An augmentation that rounds, or that goes through a picture file, breaks the chain.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Which pictures was $D$ trained on in exercise 3.6: plain ones, or augmented ones? Ask it about that kind.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# Nothing is detached here. The loop takes care that only the generator's weights are updated.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# One line: minus the mean of the scores of `T(fake)`. There is no hinge.
# </details>


# %% exercise="3.7"
def generator_loss(discriminator: nn.Module, fake: Tensor, T) -> Tensor:
    """The hinge loss of G's step; its gradient goes through D and through T to the generated pictures.

    Shapes: fake (N, C, H, W); T maps pictures to pictures of the same shape; D maps them to scores (N,).
    """
    ### BEGIN SOLUTION
    scores = discriminator(T(fake))  # (N,)
    return -scores.mean()
    ### END SOLUTION


# %% check="3.7"
lab.check("3.7", generator_loss)

# %% [markdown]
# Your losses serve all four variants: with `T` the identity in both steps there is no augmentation, and *reals only*
# augments in the data loader, before anything else. A loop puts them together (`efficientlab.training.gan.few_shot`): in
# each step `P.batch` real and as many generated pictures for $D$, then as many new ones for $G$; Adam for both; and the generator
# that we look at is a running mean over steps.

# %% [markdown] exercise="3.8"
# Predict before you train. The opening says which variant works; the order of the other three is open. Write a dictionary
# `fid_ranking` from each name in `VARIANTS` to the place that its final FID will have, from 1 (best, lowest) to 4 (worst):
# `{"none": …, "reals only": …, "D only": …, "DiffAugment": …}`. Your prediction is not graded on how close it is. It must
# be complete, and it must be made before you train.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Which variants let the generator see what its pictures are judged on?
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# A generator learns to make what $D$ takes for real. What does $D$ take for real in each variant?
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# Write down the order that you believe in. A wrong prediction costs nothing and teaches more.
# </details>

# %% exercise="3.8"
### BEGIN SOLUTION
fid_ranking = {
    "DiffAugment": 1,  # the same question in both steps
    "none": 2,  # overfits, but asks about clean pictures
    "D only": 3,
    "reals only": 4,  # whatever is called real is what comes out
}
### END SOLUTION

# %% check="3.8"
lab.check("3.8", fid_ranking)
lab.lock("the place of each variant's FID", fid_ranking)

# %% [markdown]
# ## 4 · The experiment
#
# Four runs with the same data, the same first weights, the same number of steps. Only the place of $T$ differs.

# %% tags=["result"]
from efficientlab.models.gan.features import load_features
from efficientlab.training.gan.distances import fid, kid
from efficientlab.training.gan.few_shot import (
    Contest,
    FewShotRun,
    Objective,
    Recipe,
    Snapshot,
    Variant,
    fit_contest,
    new_networks,
    sample,
    watch,
)
from efficientlab.training.kept import kept

lab.needs("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7")
features = load_features()
variants = {
    "none": Variant(),
    "reals only": Variant(reals=T),
    "D only": Variant(discriminator=T),
    "DiffAugment": Variant(discriminator=T, generator=T),
}
assert set(variants) == set(VARIANTS)
real = data.train.to(P.device)
networks = {name: new_networks(real.shape[1], P.width, P.seed) for name in variants}  # (G, D) each
runs = kept(
    f"{lab.slug}-{P.name}",
    {name: nn.ModuleList(pair).to(P.device) for name, pair in networks.items()},
    lambda: fit_contest(
        {name: Contest(real, variant, networks[name], seed=P.seed) for name, variant in variants.items()},
        Objective(discriminator_loss, generator_loss),
        Recipe(P.steps, P.batch, width=P.width, every=P.every),
        measure=watch(data, features, overfitting),
        workers=P.workers,
    ),
    code=(T, discriminator_loss, generator_loss, overfitting),
    settings=vars(P),
    classes=(FewShotRun, Snapshot),
)
generators = {name: generator.eval() for name, (generator, _) in networks.items()}
speed = {name: 1 / run.seconds_a_step for name, run in runs.items()}
print(
    f"{len(runs)} runs of {P.steps:,} steps, {min(speed.values()):.0f} to {max(speed.values()):.0f} steps per CPU second; "
    f"DiffAugment's step takes {speed['none'] / speed['DiffAugment']:.2f} times as long as the step without"
)

# %% tags=["result"]
lab.needs("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7")
samples = {name: sample(generator, 1000, seed=1) for name, generator in generators.items()}
final = {name: fid(data.test, pictures, features) for name, pictures in samples.items()}
gap = {}
print(
    f"{'variant':12} {'FID, best':>10} {'at the end':>11} {'on test':>8} {'KID':>7}   D accepts: training  held-out  generated"
)
for name, run in runs.items():
    history = list(run.measured.values())
    last = history[-3:]  # one moment of a game is noisy: the mean of the last three
    rates = {key: sum(s.rates[key] for s in last) / len(last) for key in history[0].rates}
    gap[name] = rates["gap"]
    print(
        f"{name:12} {min(s.fid for s in history):10.2f} {history[-1].fid:11.2f} {final[name]:8.2f} "
        f"{kid(data.test, samples[name], features):7.3f}   {rates['train']:19.0%} {rates['held_out']:9.0%} {rates['fake']:10.0%}"
    )

# %% [markdown]
# Look at the row *none*, at its best FID and at the one at the end. In most of the logged runs of section 1 the FID rose
# again. Where your two figures agree, your run ended at its best: its FID did not turn. That changes nothing of the
# rest: its gap is at least twice that of DiffAugment, and so is its FID on the test pictures. Both are asserted below.
#
# The last three columns ask $D$ about pictures as they are. In *reals only* and *D only* these are not the kind that $D$ was
# trained on, so the gap says little there. Ask $D$ about $T$ of them instead:

# %%
lab.needs("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7")
for name in ("D only", "DiffAugment"):
    rng = torch.Generator(P.device).manual_seed(0)
    shown = [T(x.to(P.device), rng) for x in (data.train, data.held_out, samples[name])]
    rates = overfitting(networks[name][1], *shown)
    print(f"{name:12} of T(x), D accepts: " + ", ".join(f"{key} {rate:.0%}" for key, rate in rates.items()))

# %% [markdown]
# Look at the pictures before you look at more numbers. Every generator got the same latent vectors.

# %% tags=["cover"]
lab.needs("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7")
sample_grids({name: pictures[:25] for name, pictures in samples.items()}, columns=5)
plt.show()

# %% [markdown]
# And the curves. The bands span the logged seeds, made by `python benchmarks/lab3_seeds.py` with the numbers of the
# `ci` profile; the solid lines are their means. The **dashed lines are your own four runs**.

# %%
from efficientlab.viz.gan.samples import training_curves

lab.needs("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7")
logged = [run for run in logs if run["pictures"] == 100]
own = {
    name: (
        list(run.measured),
        {
            "fid": [s.fid for s in run.measured.values()],
            "gap": [s.rates["gap"] for s in run.measured.values()],
        },
    )
    for name, run in runs.items()
}
training_curves(logged, own)
plt.show()

# %% [markdown]
# The claims, with margins from the logged seeds:

# %% tags=["result"]
lab.needs("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "3.8")
ratio = final["DiffAugment"] / final["none"]
print(f"FID on the test pictures, DiffAugment : none = {ratio:.2f}")
print(f"the discriminator's gap: none {gap['none']:.2f}, DiffAugment {gap['DiffAugment']:.2f}")
print(f"FID, D only : DiffAugment = {final['D only'] / final['DiffAugment']:.1f}")
assert ratio <= 0.5, "DiffAugment's final FID must be at most half of that without augmentation"
assert gap["DiffAugment"] <= 0.5 * gap["none"], "DiffAugment must halve the discriminator's gap"
assert final["D only"] >= 1.5 * final["DiffAugment"], "augmenting in D's step alone must be clearly worse"
places = {name: 1 + sorted(final.values()).index(final[name]) for name in final}
for name in VARIANTS:
    print(f"{name:12} predicted place {fid_ranking[name]:.0f}, measured {places[name]}")

# %% [markdown]
# What $D$ thinks, as distributions. Without augmentation the scores of training and held-out pictures drift apart: the
# same kind of picture, known and unknown. With DiffAugment they stay on top of each other. (Scores beyond ± 8 are
# counted at the ends.)

# %%
from efficientlab.viz.gan.samples import score_distributions

lab.needs("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7")
shown = list(runs["none"].measured)[1::2][-4:]
score_distributions(
    {name: {step: runs[name].measured[step].scores for step in shown} for name in ("none", "DiffAugment")}
)
plt.show()

# %% [markdown]
# ## 5 · Further: the leak
#
# In *reals only* the discriminator learns that real pictures have grey borders and holes. So the generator learns to
# make grey borders and holes: the augmentation **leaks** into the samples. *D only* is more subtle. Its discriminator
# compares $T(x)$ with $T(G(z))$, which is fair. But in the generator's step it is asked about $G(z)$ as it is. It has
# never seen a picture without traces of $T$, and of all that the generator can show it, what looks like $T(x)$ suits it
# best.
#
# You may see traces in the grids above. Measure them: train a detector that tells $T(x)$ from $x$, on held-out real
# pictures, and run it over the samples.

# %%
from efficientlab.training.gan.detector import fit_detector

lab.needs("3.2", "3.3", "3.4", "3.5")
detector = fit_detector(data.held_out.to(P.device), T, steps=P.detector_steps).cpu()

# %% [markdown] exercise="3.9"
# The detector makes mistakes. If it calls a share $f$ of clean pictures augmented (false alarms) and a share $h$ of
# augmented ones (hits), then of a set in which a share $p$ is augmented it calls
#
# $$ q = p\,h + (1 - p)\,f \qquad\Longrightarrow\qquad p = \frac{q - f}{h - f}. $$
#
# Write the estimate of $p$ for `samples`. `clean` and `augmented` are real pictures for $f$ and $h$. Chance can carry
# the estimate a little below 0 or above 1; a share lies between them.
#
# <details><summary>Hint 1 · nudge</summary>
#
# Three sets, three rates, one formula.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# A rate is the share of positive scores. Positive means above 0: the detector gives logits, not probabilities.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# `min(max(p, 0.0), 1.0)` cuts off what chance carried too far.
# </details>


# %% exercise="3.9"
@torch.no_grad()
def leakage(detector, samples: Tensor, clean: Tensor, augmented: Tensor) -> float:
    """The estimated share of samples that look augmented, corrected for the detector's mistakes; from 0 to 1.

    Shapes: pictures (n, C, H, W); detector maps them to scores (n,), positive for "augmented".
    """

    ### BEGIN SOLUTION
    def rate(pictures: Tensor) -> float:
        return (detector(pictures) > 0).float().mean().item()

    false_alarms, hits = rate(clean), rate(augmented)
    share = (rate(samples) - false_alarms) / (hits - false_alarms)
    return min(max(share, 0.0), 1.0)
    ### END SOLUTION


# %% check="3.9"
lab.check("3.9", leakage)

# %% tags=["result"]
lab.needs("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "3.9")
augmented = T(data.test, torch.Generator().manual_seed(0))
with torch.no_grad():
    alarms, hits = ((detector(x) > 0).float().mean().item() for x in (data.test, augmented))
print(f"the detector on test pictures: {alarms:.0%} false alarms, {hits:.0%} hits")
leak = {name: leakage(detector, pictures, data.test, augmented) for name, pictures in samples.items()}
for name, share in leak.items():
    print(f"{name:12} {share:4.0%} of the samples look augmented")
for name in ("reals only", "D only"):
    assert leak[name] >= leak["DiffAugment"] + 0.3, f"with T as in {name}, the augmentation must leak"

# %% [markdown]
# Why does DiffAugment not leak? $D$ sees $T(x)$ and $T(G(z))$. A generator that makes holes of its own would show $D$
# pictures with two holes, and $D$ would notice: real ones have one. No single picture can be restored from $T$ of it, and none
# has to be. What counts is the *distribution*: where different distributions of pictures stay different through $T$, the
# only way to make $T(G(z))$ look like $T(x)$ is to make $G(z)$ look like $x$.
#
# ## 6 · Further: what is augmentation worth, in pictures?
#
# More data is the other remedy. Among the logged runs are some with fewer and some with more training pictures, and with
# the same number of steps. Every logged run is a dot, lines go through the means, and the crosses are your own runs.

# %%
from efficientlab.viz.gan.samples import efficiency_curve

lab.needs("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7")
efficiency_curve(logs, {name: (P.pictures, final[name]) for name in ("none", "DiffAugment")})
plt.show()

# %%
fids = {}
for run in logs:
    fids.setdefault((run["variant"], run["pictures"]), []).append(run["test_fid"])
for n in sorted({n for _, n in fids}):
    for name in ("none", "DiffAugment"):
        values = fids[name, n]
        print(
            f"{n:4} pictures, {name:12} FID {sum(values) / len(values):5.2f} "
            f"[{min(values):.2f}, {max(values):.2f}], {len(values)} logged runs"
        )
augmented = fids["DiffAugment", 100]
behind = max(n for (name, n), values in fids.items() if name == "none" and min(values) > max(augmented))
print(f"Without augmentation, each run with {behind} pictures is behind each run of DiffAugment with 100.")
assert behind >= 200, "a hundred pictures with DiffAugment must be worth more than two hundred without"

# %% [markdown]
# So that is what $T$ was worth here: more than twice as many pictures. Is it worth five times as many? The runs with 500
# pictures and without augmentation overlap with those of DiffAugment with 100, so these few runs cannot tell. And its worth
# ends where pictures are not what is missing: compare the two rows with the most pictures.

# %% [markdown]
# ## 7 · Further: a walk through the latent space
#
# Has the generator only learnt a hundred pictures by heart itself? The FID would not tell: the hundred training pictures
# themselves are 0.4 from the test pictures, nearer than the samples of any logged run. Walk from one latent vector to another and look at
# what lies between. A generator that copies jumps from one known picture to the next. One that has learnt something
# goes through clothes that nobody made. A smooth walk is a hint and no proof: exercise 3.10 asks for a measurement.

# %%
from efficientlab.models.gan.dcgan import LATENT

lab.needs("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7")
ends = torch.randn(2, 3, 1, LATENT, generator=torch.Generator().manual_seed(4))
share = torch.linspace(0, 1, 10)[None, :, None]
walk = ends[0] * (1 - share).sqrt() + ends[1] * share.sqrt()  # (3, 10, 64); the weights' squares add to 1
with torch.no_grad():
    between = {
        name: generators[name](walk.flatten(0, 1).to(P.device)).cpu() for name in ("none", "DiffAugment")
    }
sample_grids(between, columns=10, width=3.6)
plt.gcf().set_size_inches(6.8, 1.3)
plt.show()

# %% [markdown]
# ## 8 · Further: your turn to judge

# %% [markdown] exercise="3.10"
# Answer in a few sentences each, with numbers from this notebook:
#
# 1. In *D only* the discriminator's own step is fair, as with DiffAugment. Section 4 prints twice what this $D$ accepts of
#    generated pictures: as they are, and $T$ of them. Cite both. Which of the two does the generator's step go by, and
#    what does $G$ learn to do by it, in place of making clothes?
# 2. *Reals only* is what one does in classification, where it helps. Why does it leak here, and not there? Cite your
#    measurement of the leak.
# 3. With DiffAugment the gap is small. Does that mean that the generator does not copy training pictures? Describe a
#    measurement that would tell, and what you would compare it with.

# %% [markdown] answer="3.10"
# 1. In *D only*, D accepts most generated pictures as they are, and fewer of T of them. It is trained on
#    T(x) and T(G(z)), but the generator's step asks it about G(z) as it is, a kind that it never saw. The generator is
#    rewarded if its plain pictures look like T(x): the detector finds T's traces in most of its samples, and its FID is
#    several times that of DiffAugment. The two steps ask different questions.
# 2. A classifier keeps its label under T and is never asked to make pictures; T only widens what it accepts. A
#    generator imitates what D takes for real, and with T on the reals alone that is the distribution of T(x), holes and
#    grey borders included. The detector finds them in nearly all samples of *reals only* and in hardly any of
#    DiffAugment.
# 3. No: the gap is about D, not about G. For each sample take the distance to its nearest training picture (in the
#    features, or by pixels) and compare with the same distance for held-out real pictures. Samples that are clearly
#    nearer to the training pictures than held-out ones are would be copies. (Samples of another generator are no such
#    yardstick: both may copy.)
#
# === BEGIN MARK SCHEME ===
# 8 points. (1) 3 points: the generator's step asks D about a kind of pictures that it was not trained on, so G is paid
# for T's traces (2), both shares cited (1). (2) 3
# points: G learns the distribution of what D sees as real (2), the leak cited (1). (3) 2 points: a nearest-neighbour
# measurement (1) with a yardstick of real pictures (1): held-out ones, or each training picture against the other
# training pictures. Samples of another generator, say of *none*, are worth 0 of that point: both may copy.
# === END MARK SCHEME ===

# %% [markdown]
# ## 9 · Further: kernel corner
#
# Written with PyTorch's operations, $T$ reads and writes the whole batch again and again. Each pass is small, and on a
# GPU the time goes into starting it. One kernel does it in one pass: each program computes where its numbers come from,
# loads them, stores them. `efficientlab.kernels.augment` does so with colour, too.
#
# [Triton](https://triton-lang.org/main/getting-started/tutorials/01-vector-add.html) kernels are written in Python.
# Many copies of the function, *programs*, run at once. `tl.program_id(0)` says which one this is. `tl.arange(0, BLOCK)`
# is a vector of numbers 0 … BLOCK − 1. `tl.load(pointer + offsets, mask=…, other=0.0)` reads a vector of numbers from
# memory, and gives 0.0 where the mask is false; `tl.store(pointer + offsets, values, mask=…)` writes where it is true.
# Without a GPU, Triton's interpreter runs the same kernel in Python: slow, and exact.

# %% [markdown] exercise="3.11"
# Write translation and cutout as one Triton kernel. `x` and `y` are contiguous, $(N, C, H, W)$: a list of $N \cdot C$
# *planes* of $H \cdot W$ numbers. Program `(plane, block)` writes `BLOCK` numbers of one plane of `y`, beginning with
# number `block · BLOCK`. The last block may be partly outside: mask it.
#
# `places` is $(N, 4)$, int32: the shifts $u_n, v_n$, and the first row and column of the hole, which may be negative.
# The hole has `cut_height` rows and `cut_width` columns. First the picture moves, then the hole is cut: it is in the
# coordinates of `y`.
#
# <details><summary>Hint 1 · nudge</summary>
#
# From a number `pixel` of the plane follow its row and its column: a division and a remainder by `width`.
# </details>
# <details><summary>Hint 2 · approach</summary>
#
# One load is enough: where the hole is, and where the source lies outside, its mask is false and `other=0.0` gives the
# zero.
# </details>
# <details><summary>Hint 3 · almost there</summary>
#
# The picture of a plane is `plane // channels`. The source is `plane * height * width + (i + u) * width + (j + v)`;
# check rows and columns against 0 and `height`, `width`, each on its own.
# </details>

# %% exercise="3.11"
from efficientlab.exercises.kernel_corner import tl, triton  # Triton itself, where it is installed


@triton.jit
def augment_kernel(
    x_ptr, y_ptr, places_ptr, channels, height, width, cut_height, cut_width, BLOCK: tl.constexpr
):
    """One program writes BLOCK numbers of one plane (one channel of one picture) of y."""
    ### BEGIN SOLUTION
    plane = tl.program_id(0)
    places = places_ptr + 4 * (plane // channels)
    u, v = tl.load(places), tl.load(places + 1)
    top, left = tl.load(places + 2), tl.load(places + 3)
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    i, j = pixel // width, pixel % width
    hole = (i >= top) & (i < top + cut_height) & (j >= left) & (j < left + cut_width)
    from_i, from_j = i + u, j + v
    inside = (from_i >= 0) & (from_i < height) & (from_j >= 0) & (from_j < width)
    valid = pixel < height * width
    start = plane * height * width
    source = x_ptr + start + from_i * width + from_j
    value = tl.load(source, mask=valid & inside & (hole == 0), other=0.0)
    tl.store(y_ptr + start + pixel, value, mask=valid)
    ### END SOLUTION


# %% check="3.11"
lab.check("3.11", augment_kernel)

# %% [markdown]
# ## What you have passed

# %%
lab.summary()

# %% [markdown]
# ## What to take with you
#
# - A generator learns from its discriminator's gradient alone. When the discriminator knows its pictures by heart, that
#   gradient stops teaching.
# - Two accuracies of the discriminator, on training and on held-out real pictures, show it. A loss curve does not.
# - A generator imitates whatever is called real. Augment only the reals, and it makes augmented pictures.
# - Both players must be asked the same question: $T$ on real and generated pictures, in both steps, with the gradient
#   through $T$.
# - Not every augmentation may be used. Where $T$ turns pictures by 0, 90, 180 and 270 degrees, each as often, upright and
#   turned ones look alike through $T$: it leaks even with $T$ in both steps.
#
# **Further reading.** [DiffAugment](https://arxiv.org/abs/2006.10738) ·
# [StyleGAN2-ADA](https://arxiv.org/abs/2006.06676), which adapts the strength of $T$ to the overfitting, and says which
# augmentations leak · [FID](https://arxiv.org/abs/1706.08500) · [KID](https://arxiv.org/abs/1801.01401)
