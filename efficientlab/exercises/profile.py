"""Which set of numbers a lab runs with: `ci` (two CPU cores), `colab` (one T4) or `full` (the real data set)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import torch


def choose_profile(profiles: Mapping[str, Mapping[str, Any]]) -> SimpleNamespace:
    """The numbers of one profile, with its `name`.

    EFFICIENTLAB_PROFILE names it; without it `colab` is taken where a GPU is found and `ci` elsewhere.
    """
    fallback = "colab" if torch.cuda.is_available() else "ci"
    name = os.environ.get("EFFICIENTLAB_PROFILE") or fallback
    if name not in profiles:
        raise ValueError(f"EFFICIENTLAB_PROFILE is {name!r}; this lab has {', '.join(profiles)}.")
    return SimpleNamespace(name=name, **profiles[name])
