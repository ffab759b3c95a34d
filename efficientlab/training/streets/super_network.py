"""Train lab 6's super-network: 50,000 networks in one set of weights.

    python -m efficientlab.training.streets.super_network

Each step draws a configuration at random, every fourth the widest, cuts it out, and trains it on a batch. Takes a few
minutes of one core, and writes data/streets/super_network.safetensors with its log, super_network.json.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientlab.datasets.files import data_root
from efficientlab.datasets.points.clouds import Clouds
from efficientlab.datasets.streets.clouds import street_clouds
from efficientlab.datasets.streets.things import LABELS
from efficientlab.files import write_text
from efficientlab.models.streets.sparse_unet import Widths
from efficientlab.models.streets.spvcnn import SPVCNN
from efficientlab.models.streets.super_network import SPACE, WIDEST, network, run_cut
from efficientlab.models.weights import save_weights
from efficientlab.training.loop import Run, train
from efficientlab.training.points.segment import predict
from efficientlab.training.streets.miou import class_score

COMMAND = "python -m efficientlab.training.streets.super_network"


@dataclass(frozen=True)
class Recipe:
    """How the shipped super-network was trained."""

    size: float = 0.4  # of a voxel, in metres
    points: int = 2048
    scans: int = 384
    epochs: int = 6
    batch: int = 2
    lr: float = 1e-2
    seed: int = 0


def random_config(rng: torch.Generator) -> Widths:
    """One of `SPACE`, each field drawn for itself, all choices equally often."""
    return Widths(*(choices[int(torch.randint(len(choices), (), generator=rng))] for choices in SPACE))


def train_super_network(clouds: Clouds, recipe: Recipe) -> tuple[SPVCNN, Run]:
    """A super-network from scratch."""
    torch.manual_seed(recipe.seed)
    channels = clouds.features.shape[1]
    whole = network(channels, len(LABELS), recipe.size)
    rng = torch.Generator().manual_seed(recipe.seed)
    step = 0

    def loss_of(index: Tensor) -> Tensor:
        nonlocal step
        part = clouds[index]
        if step % 4 == 0:  # the widest keeps statistics of its own
            logits = whole(part.features, part.points)
        else:
            config = random_config(rng)
            narrow = network(channels, len(LABELS), recipe.size, config)
            logits = run_cut(whole, narrow, config, part.features, part.points)
        step += 1
        return F.cross_entropy(logits, part.part)

    run = train(
        whole,
        len(clouds),
        loss_of,
        epochs=recipe.epochs,
        batch=recipe.batch,
        lr=recipe.lr,
        seed=recipe.seed,
        unit="scans",
    )
    return whole, run


@torch.no_grad()
def recalibrate(model: nn.Module, clouds: Clouds, *, batch: int = 8) -> None:
    """Replaces the running statistics of all batch norms by the means over these clouds' batches, in place."""
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d)]
    momentum = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
    model.train()
    for start in range(0, len(clouds), batch):
        part = clouds[start : start + batch]
        model(part.features, part.points)
    for norm, kept in zip(norms, momentum, strict=True):
        norm.momentum = kept
    model.eval()


def main() -> None:
    torch.set_num_threads(1)
    recipe = Recipe()
    whole, run = train_super_network(street_clouds("train", recipe.scans, points=recipe.points), recipe)
    val = street_clouds("val", 32, points=recipe.points)
    found = class_score(predict(whole, val), val.part, len(LABELS))
    out = data_root() / "streets" / "super_network.safetensors"
    out.parent.mkdir(exist_ok=True)
    save_weights(out, network=whole)
    facts = {
        "command": COMMAND,
        **asdict(recipe),
        "widest": WIDEST._asdict(),
        "val_miou_of_the_widest": round(found.miou, 4),
        "cpu_seconds": round(run.cpu_seconds),
        "losses": [round(loss, 3) for loss in run.losses[::64]],
    }
    write_text(out.with_suffix(".json"), json.dumps(facts, indent=1) + "\n")
    print(f"{out}: mIoU of the widest on val {found.miou:.3f}, {run.cpu_seconds:.0f} CPU s")


if __name__ == "__main__":
    main()
