"""One loop for every any-cost generator: the teacher, the flexible one, and the notebook's.

A step draws a batch, a configuration and the sizes that are judged; one pass of the generator makes its pictures of
all sizes, which both players' losses read. Non-saturating logistic loss, R1 penalty every 16th step on one of the
sizes, Adam with β = (0, 0.99), the generator averaged over steps: all as in StyleGAN2.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from efficientlab.models.gan.anycost.configs import FULL, SIZES, Config
from efficientlab.models.gan.anycost.discriminator import AnycostDiscriminator
from efficientlab.models.gan.anycost.generator import LATENT, AnycostGenerator
from efficientlab.training.side_by_side import progress

LAZY = 16  # steps from one R1 penalty to the next
Pictures = dict[int, Tensor]  # size → (N, 3, size, size)


def average_down(pictures: Tensor, sizes: tuple[int, ...]) -> Pictures:
    """The same pictures (N, 3, H, H) at each size, averaged over squares."""
    return {size: F.avg_pool2d(pictures, pictures.shape[-1] // size) for size in sizes}


def discriminator_loss(
    discriminator: nn.Module,
    real: Tensor,
    fakes: Pictures,
    code: Tensor | None,
    real_code: Tensor | None,
    sizes: tuple[int, ...],
) -> Tensor:
    """Σ over sizes of E[softplus(−D(x))] + E[softplus(D(G(z)))]; no gradient reaches the generator.

    Args:
        real: (N, 3, 32, 32), reduced here to each size.
        fakes: the generator's pictures of one pass, at all sizes.
        code, real_code: what the discriminator is told of the fakes' configuration, and of the reals'.
    """
    terms = []
    for size, pictures in average_down(real, sizes).items():
        genuine, made_up = discriminator(pictures, real_code), discriminator(fakes[size].detach(), code)
        terms.append(F.softplus(-genuine).mean() + F.softplus(made_up).mean())
    return torch.stack(terms).sum()


def generator_loss(
    discriminator: nn.Module, fakes: Pictures, code: Tensor | None, sizes: tuple[int, ...]
) -> Tensor:
    """Σ over sizes of E[softplus(−D(G(z)))]."""
    return torch.stack([F.softplus(-discriminator(fakes[s], code)).mean() for s in sizes]).sum()


DiscriminatorLoss = Callable[
    [nn.Module, Tensor, Pictures, Tensor | None, Tensor | None, tuple[int, ...]], Tensor
]
GeneratorLoss = Callable[[nn.Module, Pictures, Tensor | None, tuple[int, ...]], Tensor]


@dataclass(frozen=True)
class Game:
    """What a step draws and asks for. The default trains the full generator at its full size alone."""

    config: Callable[[torch.Generator], Config] = lambda rng: FULL
    """The step's configuration."""
    sizes: Callable[[torch.Generator], tuple[int, ...]] = lambda rng: SIZES[-1:]
    """The sizes that are judged; drawn anew for each of the two players."""
    discriminator_loss: DiscriminatorLoss = discriminator_loss
    generator_loss: GeneratorLoss = generator_loss
    code: Callable[[Config], Tensor] | None = None
    """What the discriminator is told of a configuration, (5,); None: nothing."""
    consistency: Callable[[Tensor, Pictures], Tensor] | None = None
    """(z, the pictures that the step's configuration made of it) → a loss, its weight included."""


@dataclass(frozen=True)
class Recipe:
    """How long, and how fast."""

    steps: int
    batch: int = 16
    lr: float = 2e-3
    r1: float = 2.0
    average: float = 0.999  # of the generator's weights: how much of the mean a step keeps
    bfloat16: bool = False  # fewer digits: a third faster where the processor can (AVX512-BF16, AMX)
    falling: float = 0.3  # the share of the steps, the last ones, in which the learning rate falls to zero


@dataclass
class AnycostRun:
    """A run, finished or under way."""

    generator: AnycostGenerator
    discriminator: AnycostDiscriminator
    recipe: Recipe
    seed: int = 0
    step: int = 0
    cpu_seconds: float = 0.0  # of the thread that trained
    losses: dict[str, list[float]] = field(default_factory=dict)  # by term, one a step; R1 one in sixteen

    def __post_init__(self) -> None:
        recipe = self.recipe
        self.average = AveragedModel(self.generator, multi_avg_fn=get_ema_multi_avg_fn(recipe.average))
        self.players = [
            torch.optim.Adam(net.parameters(), recipe.lr, betas=(0.0, 0.99), fused=True)
            for net in (self.generator, self.discriminator)
        ]
        self.rng = torch.Generator().manual_seed(self.seed)

    @property
    def averaged(self) -> AnycostGenerator:
        """The generator, averaged over steps: what a run is for."""
        return cast(AnycostGenerator, self.average.module).eval()

    def state(self) -> dict[str, Any]:
        """All that `resume` needs."""
        return {
            "nets": [net.state_dict() for net in (self.generator, self.discriminator, self.average)],
            "players": [player.state_dict() for player in self.players],
            "rng": self.rng.get_state(),
            "facts": (self.step, self.cpu_seconds, self.losses),
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Continue where `state` was taken, with the same recipe."""
        for net, held in zip((self.generator, self.discriminator, self.average), state["nets"], strict=True):
            net.load_state_dict(held)
        for player, held in zip(self.players, state["players"], strict=True):
            player.load_state_dict(held)
        self.rng.set_state(state["rng"])
        self.step, self.cpu_seconds, self.losses = state["facts"]


def fit_anycost(
    run: AnycostRun,
    pictures: Tensor,
    game: Game,
    *,
    steps: int | None = None,
    bar: Any = None,
) -> AnycostRun:
    """Trains both players in place, the discriminator first in every step, until the recipe's last step.

    Args:
        run: the players, both on one device, and where they stand.
        pictures: real ones, uint8 (N, 3, 32, 32), on any device.
        game: what a step draws and asks for.
        steps: at most this many now; all that are left by default.
        bar: a tqdm bar to advance by one a step; by default one of its own.

    Raises:
        ValueError: fewer pictures than one batch; a loss that is not finite.
    """
    recipe = run.recipe
    if len(pictures) < recipe.batch:
        raise ValueError(
            f"training needs at least one batch of {recipe.batch} pictures, got {len(pictures)}."
        )
    last = recipe.steps if steps is None else min(recipe.steps, run.step + steps)
    run.generator.train()
    run.discriminator.train()
    device = run.generator.const.device
    began = time.thread_time() - run.cpu_seconds
    with progress(last - run.step) if bar is None else nullcontext(bar) as bar:
        while run.step < last:
            left = (recipe.steps - run.step) / max(1.0, recipe.falling * recipe.steps)
            for player in run.players:
                player.param_groups[0]["lr"] = recipe.lr * min(1.0, left)
            index = torch.randint(len(pictures), (recipe.batch,), generator=run.rng)
            real = pictures[index].to(device, torch.float32, memory_format=torch.channels_last)
            real = real.div_(127.5).sub_(1)
            terms = _step(run, real, game)
            run.step += 1
            for name, value in terms.items():
                if not isfinite(value):
                    raise ValueError(f"The loss {name} is {value} at step {run.step}; try a lower lr.")
                run.losses.setdefault(name, []).append(value)
            with bar.get_lock():
                bar.set_postfix_str(" ".join(f"{k} {v:.2f}" for k, v in terms.items()), refresh=False)
                bar.update()
    run.cpu_seconds = time.thread_time() - began
    return run


def _step(run: AnycostRun, real: Tensor, game: Game) -> dict[str, float]:
    """One step of each player on real pictures (N, 3, 32, 32) in [−1, 1]; the losses by term."""
    recipe, rng, generator, discriminator = run.recipe, run.rng, run.generator, run.discriminator
    autocast = partial(torch.autocast, real.device.type, torch.bfloat16, recipe.bfloat16)
    z = torch.randn(len(real), LATENT, generator=rng).to(real.device)
    config, stranger = game.config(rng), game.config(rng)  # the reals' code is another draw's
    code, real_code = (
        None if game.code is None else game.code(c).to(real.device).expand(len(real), -1)
        for c in (config, stranger)
    )
    terms: dict[str, Tensor] = {}
    with autocast():
        fake = generator.pictures(generator.mapping(z), config)
        sizes = game.sizes(rng)
        terms["D"] = game.discriminator_loss(discriminator, real, fake, code, real_code, sizes)
        loss = terms["D"]
        if run.step % LAZY == 0:
            one = sizes[int(torch.randint(len(sizes), (), generator=rng))]
            terms["R1"] = r1_penalty(discriminator, average_down(real, (one,))[one], real_code)
            loss = loss + recipe.r1 / 2 * LAZY * terms["R1"]
    _descend(run.players[1], loss)

    discriminator.requires_grad_(False)  # spares its weights' gradients in the generator's step
    with autocast():
        terms["G"] = game.generator_loss(discriminator, fake, code, game.sizes(rng))
        loss = terms["G"]
        if game.consistency is not None:
            terms["consistency"] = game.consistency(z, fake)
            loss = loss + terms["consistency"]
    _descend(run.players[0], loss)
    discriminator.requires_grad_(True)
    run.average.update_parameters(generator)
    return {name: value.item() for name, value in terms.items()}


def r1_penalty(discriminator: nn.Module, real: Tensor, code: Tensor | None) -> Tensor:
    """E |∇_x D(x)|² at real pictures (N, 3, s, s): a discriminator that is steep there leads the generator in circles.

    Mescheder, Geiger, Nowozin, "Which training methods for GANs do actually converge?" (ICML 2018).
    """
    real = real.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(real, code).sum(), real, create_graph=True)
    return slope.square().sum((1, 2, 3)).mean()


def _descend(player: torch.optim.Optimizer, loss: Tensor) -> None:
    player.zero_grad()
    loss.backward()
    player.step()
