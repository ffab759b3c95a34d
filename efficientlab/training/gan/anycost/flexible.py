"""Train lab 2's flexible generator: every configuration in one set of weights.

    python -m efficientlab.training.gan.anycost.flexible FOLDER

FOLDER is as for `efficientlab.training.gan.anycost.teacher`, whose result must be there, and receives a checkpoint
every 500 steps. The teacher's channels are sorted; then every step draws a configuration (a quarter of them the full
one, a quarter the narrowest, else any) and two of the three sizes, with the game, whose discriminator knows the
configuration, and with consistency. Takes about twenty minutes of one core, and writes
data/gan/anycost_flexible.safetensors with its log, anycost_flexible.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from efficientlab.datasets.files import data_root
from efficientlab.datasets.gan.avatars import load_avatars
from efficientlab.models.gan.anycost.configs import FULL, JUDGED, UNIFORM, Config, random_config, ratios_of
from efficientlab.models.gan.anycost.generator import LATENT
from efficientlab.models.gan.anycost.pretrained import load_anycost_discriminator, load_anycost_teacher
from efficientlab.models.gan.anycost.sorting import sort_channels
from efficientlab.models.gan.features import load_features
from efficientlab.models.weights import save_weights
from efficientlab.training.gan.anycost.consistency import Consistency
from efficientlab.training.gan.anycost.loop import AnycostRun, Game, Recipe
from efficientlab.training.gan.anycost.teacher import EVERY, train_in_parts
from efficientlab.training.gan.log import write_log

RECIPE = Recipe(steps=8_000, lr=1e-3, bfloat16=True)
WEIGHT = 4.0  # of consistency


def draw_config(rng: torch.Generator) -> Config:
    """The full configuration in a quarter of the draws, the narrowest in a quarter, else any."""
    kind = int(torch.randint(4, (), generator=rng))
    return (FULL, UNIFORM[0])[kind] if kind < 2 else random_config(rng)


def draw_sizes(rng: torch.Generator) -> tuple[int, ...]:
    """Two of the three judged sizes."""
    return tuple(JUDGED[i] for i in torch.randperm(len(JUDGED), generator=rng)[:2])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train lab 2's flexible generator.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="with the full avatars.npz")
    folder = parser.parse_args(arguments).folder
    torch.set_num_threads(1)
    torch.manual_seed(0)
    teacher, discriminator = load_anycost_teacher(), load_anycost_discriminator()
    latents = torch.randn(2000, LATENT, generator=torch.Generator().manual_seed(0))
    generator = sort_channels(teacher, latents)
    for net in (teacher, generator, discriminator):
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    consistency = Consistency(teacher, load_features("avatars"), WEIGHT, JUDGED)
    game = Game(draw_config, draw_sizes, code=ratios_of, consistency=consistency)
    run = AnycostRun(generator.requires_grad_(True), discriminator, RECIPE)
    pictures = load_avatars("train", folder).pictures
    train_in_parts(run, pictures, game, folder, "anycost_flexible", (FULL, UNIFORM[1], UNIFORM[0]))
    out = data_root() / "gan" / "anycost_flexible.safetensors"
    save_weights(out, generator=run.averaged)
    command = "python -m efficientlab.training.gan.anycost.flexible FOLDER"
    facts = {**asdict(run.recipe), "seed": run.seed, "consistency": WEIGHT}
    write_log(out.with_suffix(".json"), command, run, EVERY, **facts)
    print(f"{out}: {run.step:,} steps, {run.cpu_seconds:.0f} CPU s")


if __name__ == "__main__":
    main()
