"""Train lab 1's teacher: a ResNet generator and a PatchGAN discriminator on edges → shoes.

    python -m efficientlab.training.gan.teacher FOLDER

FOLDER holds the four files of Fashion-MNIST (`efficientlab.datasets.gan.edges.load_edges2shoes`). Takes about five
minutes of one core, and writes data/gan/teacher.safetensors with its log, teacher.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from efficientlab.datasets.files import data_root
from efficientlab.datasets.gan.edges import Pairs, load_edges2shoes, to_pixels
from efficientlab.models.gan.pix2pix import PatchDiscriminator, ResNetGenerator
from efficientlab.models.weights import save_weights
from efficientlab.training.gan.conditional import GanRun, fit_gan, translate
from efficientlab.training.gan.log import write_log

RECIPE = {"steps": 5000, "batch": 8, "lr": 5e-4, "seed": 0}
LOG_EVERY = 100  # steps to average losses over


def train_teacher(
    pairs: Pairs, *, steps: int, batch: int, lr: float, seed: int
) -> tuple[ResNetGenerator, PatchDiscriminator, GanRun]:
    """Both players from scratch; `fit_gan` says what the arguments mean. The seed sets the first weights, too."""
    torch.manual_seed(seed)
    generator = ResNetGenerator().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    discriminator = PatchDiscriminator().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = fit_gan(generator, discriminator, pairs, steps=steps, batch=batch, lr=lr, seed=seed)
    return generator, discriminator, run


def mean_absolute_difference(generator: ResNetGenerator, pairs: Pairs) -> float:
    """L1 per pixel to the true pictures, in the range [−1, 1]."""
    return (translate(generator.eval(), pairs) - to_pixels(pairs.picture)).abs().mean().item()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train lab 1's teacher.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="with the files of Fashion-MNIST")
    folder = parser.parse_args(arguments).folder
    torch.set_num_threads(1)
    train, val = load_edges2shoes("train", folder), load_edges2shoes("val", folder)
    generator, discriminator, run = train_teacher(train, **RECIPE)  # type: ignore[arg-type]
    out = data_root() / "gan" / "teacher.safetensors"
    save_weights(out, generator=generator, discriminator=discriminator)
    l1 = mean_absolute_difference(generator, val)
    command = "python -m efficientlab.training.gan.teacher FOLDER"
    facts = {**RECIPE, "pairs": len(train), "val_l1": round(l1, 4)}
    write_log(out.with_suffix(".json"), command, run, LOG_EVERY, **facts)
    print(f"{out}: L1 {l1:.4f} on {len(val):,} pairs of the validation split, {run.cpu_seconds:.0f} CPU s")


if __name__ == "__main__":
    main()
