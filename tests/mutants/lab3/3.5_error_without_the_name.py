"""the unknown step raises a ValueError whose text does not say which name of the policy is unknown."""

import torch
from torch import Tensor


def diff_augment(x: Tensor, policy: str, steps: dict, rng: torch.Generator) -> Tensor:
    """Apply the steps of a policy, such as "color,cutout", in the order in which it names them.

    steps: from a name to a function (x, rng) → x. An empty policy changes nothing.
    Raises ValueError, with the name, for a step that does not exist.
    """
    for name in policy.split(",") if policy else []:
        if name not in steps:
            raise ValueError("unknown step")
        x = steps[name](x, rng)
    return x
