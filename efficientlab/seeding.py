"""The global generator from a seed, for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The processor's global generator starts from `seed` in the block, and goes on as before behind it.

    Those of GPUs are left alone; `torch.manual_seed` would seed them, too, and for good.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
