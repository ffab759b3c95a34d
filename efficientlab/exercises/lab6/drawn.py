"""What lab 6's checks draw: occupied voxels, points in them, and the pairs of a kernel map as one table.

And how they read tables of rows and coordinates, which later cells index with.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from efficientlab.exercises.cases import watched
from efficientlab.exercises.contract import AnswerError
from efficientlab.kernels import kernel_map


def drawn_voxels(seed: int, clouds: int, count: int, low: int, high: int) -> Tensor:
    """(V, 4) int64, distinct and sorted: V ≤ count voxels of clouds 0 … clouds − 1, each axis in low … high − 1.

    The first cloud's voxels are in the last cloud too, so that a key without the cloud mixes them up.
    """
    generator = torch.Generator().manual_seed(seed + 31 * count)
    xyz = torch.randint(low, high, (count, 3), generator=generator)
    cloud = torch.arange(count) % clouds
    twins = torch.cat([torch.full((len(xyz[cloud == 0]), 1), clouds - 1), xyz[cloud == 0]], 1)
    return torch.cat([torch.cat([cloud[:, None], xyz], 1), twins]).unique(dim=0)


def far_voxels(voxel: Tensor) -> Tensor:
    """(18, 4) int64: voxels far from this one, (4,), each of which has its number where four are packed too densely.

    As x · B² + y · B + z, one step along an axis and B steps back along the next lead to the same number.
    """
    bases = (10, 16, 32, 64, 100, 128, 256, 1000, 1024)
    steps = [[0, *step] for base in bases for step in ((0, 1, -base), (1, -base, 0))]
    return voxel + torch.tensor(steps)


def drawn_points(seed: int, clouds: int, count: int, low: int, high: int) -> Tensor:
    """(P, 4) float64, in voxels: well inside of their voxels, so that no rounding decides where a point is."""
    generator = torch.Generator().manual_seed(seed + 17 * count)
    cell = torch.randint(low, high, (count, 3), generator=generator)
    inside = 0.3 + 0.4 * torch.rand(count, 3, generator=generator, dtype=torch.float64)
    return torch.cat([(torch.arange(count) % clouds)[:, None].double(), cell + inside], 1)


def pair_table(coords: Tensor, out_coords: Tensor, kernel_size: int, stride: int) -> Tensor:
    """(M, 3) int64: offset, source row and target row of every pair, as a case can hold them."""
    found = kernel_map(coords, out_coords, kernel_size, stride)
    offset = torch.repeat_interleave(torch.tensor(found.counts))
    return torch.stack([offset, found.source.long(), found.target.long()], 1)


def pairs_of(table: Tensor, offsets: int) -> list[Tensor]:
    """The table as the lab holds it: for each offset (M_k, 2), source and target."""
    return [table[table[:, 0] == k, 1:] for k in range(offsets)]


def watched_pairs(pairs: list[Tensor]) -> Callable[[], bool]:
    """Says, whenever it is asked, whether the list or one of its tensors is no longer what it was."""
    held, changed = list(pairs), watched(*pairs)
    return lambda: (
        len(pairs) != len(held) or any(a is not b for a, b in zip(pairs, held, strict=True)) or changed()
    )


def whole_numbers(found: Tensor, what: str = "") -> Tensor:
    """`found` as int64; `AnswerError` if it holds another kind of number, with which no row can be looked up."""
    if found.is_floating_point() or found.dtype == torch.bool:
        kind = str(found.dtype).removeprefix("torch.")
        raise AnswerError("Returned", f"returned {kind}{what}; rows and coordinates are integers, int64.")
    return found.long()
