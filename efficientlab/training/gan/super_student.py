"""Train lab 1's super student: 390,625 configurations in one set of weights, taught by the teacher.

    python -m efficientlab.training.gan.super_student FOLDER

FOLDER is as for `efficientlab.training.gan.teacher`, whose result must be there. Each step draws a configuration at
random, slices it out, and trains it on a batch with the hinge loss, L1 and feature distillation. The discriminator
starts as the teacher's. Takes about 15 minutes of one core, and writes data/gan/super_student.safetensors with
its log, super_student.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from efficientlab.datasets.files import data_root
from efficientlab.datasets.gan.edges import Pairs, load_edges2shoes
from efficientlab.models.gan.pix2pix import PatchDiscriminator, ResNetGenerator, uniform
from efficientlab.models.gan.pretrained import load_discriminator, load_teacher
from efficientlab.models.gan.super_student import WIDTHS, SuperStudent, random_config
from efficientlab.models.weights import save_weights
from efficientlab.training.gan.conditional import Batch, GanRun, Losses, fit_gan, pix2pix_loss
from efficientlab.training.gan.distillation import Distillation
from efficientlab.training.gan.log import write_log
from efficientlab.training.gan.teacher import LOG_EVERY, mean_absolute_difference

RECIPE = {"steps": 12_000, "batch": 8, "lr": 1e-3, "seed": 0}
DISTILLATION_WEIGHT = 30.0


def train_super_student(
    pairs: Pairs,
    teacher: ResNetGenerator,
    discriminator: PatchDiscriminator,
    *,
    steps: int,
    batch: int,
    lr: float,
    seed: int,
) -> tuple[SuperStudent, GanRun]:
    """A super student from scratch against `discriminator`, which is trained on; see `fit_gan` for the rest."""
    torch.manual_seed(seed)
    student, distillation = SuperStudent(), Distillation(teacher)
    rng = torch.Generator().manual_seed(seed)

    def draw() -> None:
        student.configure(random_config(rng))

    def loss(batch: Batch) -> Losses:
        return pix2pix_loss(batch) | {"distillation": DISTILLATION_WEIGHT * distillation(batch)}

    run = fit_gan(
        student,
        discriminator,
        pairs,
        steps=steps,
        batch=batch,
        lr=lr,
        generator_loss=loss,
        also_train=distillation.parameters(),
        before_step=draw,
        seed=seed,
    )
    return student, run


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train lab 1's super student.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="with the files of Fashion-MNIST")
    folder = parser.parse_args(arguments).folder
    torch.set_num_threads(1)
    train, val = load_edges2shoes("train", folder), load_edges2shoes("val", folder)
    student, run = train_super_student(train, load_teacher(), load_discriminator(), **RECIPE)  # type: ignore[arg-type]
    out = data_root() / "gan" / "super_student.safetensors"
    save_weights(out, generator=student)
    l1 = {w: round(mean_absolute_difference(student.configure(uniform(w)), val), 4) for w in WIDTHS}
    command = "python -m efficientlab.training.gan.super_student FOLDER"
    facts = {**RECIPE, "distillation_weight": DISTILLATION_WEIGHT, "pairs": len(train)}
    write_log(out.with_suffix(".json"), command, run, LOG_EVERY, **facts, val_l1_of_uniform_width=l1)
    print(f"{out}: L1 by uniform width {l1}, {run.cpu_seconds:.0f} CPU s")


if __name__ == "__main__":
    main()
