"""What a picture of an avatar shows, read by the classifier in whose features avatars are measured."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from efficientlab.datasets.gan.avatars import ATTRIBUTES, Avatars
from efficientlab.models.gan.features import FeatureNet

CLASSES = sum(map(len, ATTRIBUTES.values())) + 1  # one score for each value, and how dark the skin is


def to_pixels(pictures: Tensor) -> Tensor:
    """uint8 → float in [−1, 1]."""
    return pictures.float() / 127.5 - 1


def targets(avatars: Avatars) -> Tensor:
    """Labels and skin in one tensor, float (N, 6), as `attribute_loss` takes them."""
    return torch.cat([avatars.labels.float(), avatars.skin[:, None]], 1)


def split_scores(scores: Tensor) -> dict[str, Tensor]:
    """The classifier's scores (N, 24) by attribute: name → (N, values); "skin" → (N,)."""
    parts = scores.split([*map(len, ATTRIBUTES.values()), 1], 1)
    by_name = dict(zip(ATTRIBUTES, parts, strict=False))
    return by_name | {"skin": parts[-1][:, 0]}


def attribute_loss(scores: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of each attribute, and four times the squared error of the skin; eyes count where they are seen."""
    by_name = split_scores(scores)
    label = {name: target[:, i].long() for i, name in enumerate(ATTRIBUTES)}
    losses = {name: F.cross_entropy(by_name[name], label[name], reduction="none") for name in ATTRIBUTES}
    losses["eyes"] = losses["eyes"] * (label["glasses"] == 0)
    return torch.stack(list(losses.values())).sum(0).mean() + 4 * F.mse_loss(by_name["skin"], target[:, -1])


@torch.inference_mode()
def read_attributes(network: FeatureNet, pictures: Tensor) -> dict[str, Tensor]:
    """What the classifier sees in pictures (N, 3, 32, 32) in [−1, 1]: name → index (N,); "skin" → float (N,).

    Raises:
        ValueError: a score is not finite, whose largest would be the first of each attribute.
    """
    scores = torch.cat([network.logits(part) for part in pictures.split(250)]).to(pictures.device)  # (N, 24)
    if not scores.isfinite().all():
        raise ValueError("a score of the attributes is not finite: are there NaN or infinite pixels?")
    by_name = split_scores(scores)
    return {name: value if name == "skin" else value.argmax(1) for name, value in by_name.items()}


def attribute_accuracy(network: FeatureNet, pictures: Tensor, target: Tensor) -> float:
    """Share of right attributes, the mean over all of them; eyes count where they are seen.

    Raises:
        ValueError: there is no picture, or not one target for each; a score is not finite.
    """
    if len(pictures) != len(target) or not len(target):
        raise ValueError(f"each picture needs one target; got {len(pictures)} and {len(target)}.")
    seen = read_attributes(network, pictures)
    bare = target[:, list(ATTRIBUTES).index("glasses")] == 0
    rates = []
    for i, name in enumerate(ATTRIBUTES):
        right = seen[name] == target[:, i]
        rates.append(right[bare] if name == "eyes" else right)
    shares = [rate.double().mean().item() for rate in rates if len(rate)]  # all may wear sunglasses
    return sum(shares) / len(shares)
