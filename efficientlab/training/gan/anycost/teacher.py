"""Train lab 2's full generator and its discriminator on avatars.

    python -m efficientlab.training.gan.anycost.teacher FOLDER

FOLDER holds the full set, as `data/make_avatars.py` left it there, and receives a checkpoint every 500 steps, from
which the command goes on where it was stopped, and a sheet of samples to look at. Takes about half an hour of one
core, and writes data/gan/anycost_teacher.safetensors with its log, anycost_teacher.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from efficientlab.datasets.files import data_root
from efficientlab.datasets.gan.avatars import load_avatars
from efficientlab.files import replacing
from efficientlab.models.gan.anycost.configs import FULL, Config
from efficientlab.models.gan.anycost.discriminator import AnycostDiscriminator
from efficientlab.models.gan.anycost.generator import LATENT, AnycostGenerator
from efficientlab.models.weights import save_weights
from efficientlab.training.gan.anycost.loop import AnycostRun, Game, Recipe, fit_anycost
from efficientlab.training.gan.log import write_log

RECIPE = Recipe(steps=16_000, bfloat16=True)
EVERY = 500  # steps between checkpoints, and to average losses over


def train_in_parts(
    run: AnycostRun,
    pictures: Tensor,
    game: Game,
    folder: Path,
    name: str,
    configs: Sequence[Config] = (FULL,),
) -> AnycostRun:
    """`fit_anycost`, with a checkpoint and a sheet of samples of each configuration in `folder` every 500 steps."""
    checkpoint = folder / f"{name}.pt"
    if checkpoint.exists():
        run.resume(torch.load(checkpoint, weights_only=True))
        print(f"goes on at step {run.step:,}, as {checkpoint} says", flush=True)
    while run.step < run.recipe.steps:
        fit_anycost(run, pictures, game, steps=EVERY)
        with replacing(checkpoint) as part:
            torch.save(run.state(), part)
        save_sheet(folder / f"{name}.png", run.averaged, configs)
        recent = {key: sum(values[-EVERY:]) / len(values[-EVERY:]) for key, values in run.losses.items()}
        print(
            f"step {run.step:,}, {run.cpu_seconds:.0f} CPU s:",
            ", ".join(f"{key} {value:.3f}" for key, value in recent.items()),
            flush=True,
        )
    return run


@torch.no_grad()
def save_sheet(path: Path, generator: AnycostGenerator, configs: Sequence[Config]) -> None:
    """Four rows of 24 samples for each configuration, all of the same latents."""
    from PIL import Image

    z = torch.randn(96, LATENT, generator=torch.Generator().manual_seed(0))
    tiles = torch.cat([generator(z, config) for config in configs])  # (96 · configs, 3, 32, 32)
    sheet = tiles.unflatten(0, (-1, 24)).permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
    with replacing(path) as part:
        Image.fromarray(((sheet.clamp(-1, 1) + 1) * 127.5).byte().numpy()).save(part, format="PNG")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train lab 2's full generator.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="with the full avatars.npz")
    folder = parser.parse_args(arguments).folder
    torch.set_num_threads(1)
    torch.manual_seed(0)
    players = AnycostGenerator(), AnycostDiscriminator()
    for net in players:
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pictures = load_avatars("train", folder).pictures
    run = train_in_parts(AnycostRun(*players, RECIPE), pictures, Game(), folder, "anycost_teacher")
    out = data_root() / "gan" / "anycost_teacher.safetensors"
    save_weights(out, generator=run.averaged, discriminator=run.discriminator)
    command = "python -m efficientlab.training.gan.anycost.teacher FOLDER"
    write_log(out.with_suffix(".json"), command, run, EVERY, **asdict(run.recipe), seed=run.seed)
    print(f"{out}: {run.step:,} steps, {run.cpu_seconds:.0f} CPU s")


if __name__ == "__main__":
    main()
