"""The pairs of a kernel map, arranged for a machine: two dataflows of one convolution.

Blocked (CPU, GPUs whose tensor cores Triton cannot use): output rows in blocks. The pairs of a block are
gathered, multiplied offset by offset, and summed by row, all in scratch memory that stays in the cache and is
used again by the next block.

Masked (GPUs from sm_80): every output row lists its input under each offset, and rows that miss the same
offsets stand together, so that a tile of rows skips what all of them miss.

Tang et al., "TorchSparse++: Efficient Training and Inference Framework for Sparse Convolution on GPUs"
(MICRO 2023), compares these dataflows.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from efficientlab.kernels.gather import bag_ends
from efficientlab.kernels.sparse.coords import search


class BlockedPlan(NamedTuple):
    """Pairs sorted by (block, offset, output row), and how the products of a block are summed.

    Row r of a block takes the products bag[ends[block, r] : ends[block, r + 1]], counted from the block's
    first. The pairs of a voxel with itself in a symmetric map are left out: they need no gathering.
    """

    source: Tensor  # (M,) int32, input row
    target: Tensor  # (M,) int32, output row
    splits: Tensor  # (blocks, K) on the CPU: how many pairs of each offset a block has
    bag: Tensor  # (M,) int32, places among the products of the block
    ends: Tensor  # (blocks, rows of a block + 1) int32


class MaskedPlan(NamedTuple):
    """The same pairs, for the gradient of the weights, and the output rows in the order of their masks."""

    source: Tensor
    target: Tensor
    splits: Tensor
    order: Tensor  # (V',) int32
    table: Tensor  # (K, V') int32, the input row of order[j] under offset k, −1 for none


def block_rows(pairs: Tensor, width: int) -> int:
    """Output rows of a block: the scratch of so many, `width` channels wide, fits a core's cache or fills a GPU."""
    if pairs.is_cuda:
        return 65536
    return min(max(2**17 >> (width - 1).bit_length(), 512), 8192)


@torch.inference_mode(False)
def blocked_plan(
    source: Tensor, target: Tensor, counts: tuple[int, ...], n_targets: int, symmetric: bool, size: int
) -> BlockedPlan:
    """size: output rows of a block, see `block_rows`."""
    sources, targets = _pairs_of_others(source, target, counts, symmetric)
    cuts, splits = _cut(targets, n_targets, size)
    itself = torch.arange(n_targets + 1, device=target.device) * int(symmetric)
    ends = (bag_ends(target, n_targets) - itself).int()  # (V' + 1,)
    bag = source.new_empty(int(splits.sum()))
    free = ends[:-1].clone()  # for each row the next place in its bag
    sizes = splits.t().to(target.device)  # (K, blocks)
    shift = (sizes.cumsum(0) - sizes - cuts[:, :-1]).int()  # from places in an offset to places in a block
    place = torch.arange(max(counts), dtype=torch.int32, device=target.device)
    for k, rows in enumerate(targets):
        here = torch.repeat_interleave(shift[k], sizes[k], output_size=len(rows)).add_(place[: len(rows)])
        bag.scatter_(0, free.index_select(0, rows).long(), here)
        free.index_add_(0, rows, torch.ones_like(rows))  # a row occurs once
    padded = torch.cat([ends, ends[-1:].expand(len(splits) * size - n_targets)])
    ends = padded.unfold(0, size + 1, size)  # (blocks, size + 1)
    return BlockedPlan(
        _by_block(sources, splits), _by_block(targets, splits), splits, bag, ends - ends[:, :1]
    )


@torch.inference_mode(False)
def masked_plan(
    source: Tensor, target: Tensor, counts: tuple[int, ...], n_targets: int, symmetric: bool, size: int
) -> MaskedPlan:
    """size: output rows of a block of the pairs, see `block_rows`."""
    sources, targets = _pairs_of_others(source, target, counts, symmetric)
    _, splits = _cut(targets, n_targets, size)
    table = source.new_full((len(counts), n_targets), -1)
    mask = torch.zeros(n_targets, dtype=torch.int64, device=target.device)
    for k, (i, o) in enumerate(zip(source.split(counts), target.split(counts), strict=True)):
        table[k].scatter_(0, o.long(), i)
        mask += (table[k] >= 0).long() << (k % 62)
    order = mask.argsort(stable=True, descending=True)
    sorted_table = table.index_select(1, order)
    return MaskedPlan(
        _by_block(sources, splits), _by_block(targets, splits), splits, order.int(), sorted_table
    )


def _pairs_of_others(
    source: Tensor, target: Tensor, counts: tuple[int, ...], symmetric: bool
) -> tuple[list[Tensor], list[Tensor]]:
    """Sources and targets of each offset, without those of a symmetric map's centre."""
    sources, targets = list(source.split(counts)), list(target.split(counts))
    if symmetric:
        centre = len(counts) // 2
        sources[centre], targets[centre] = sources[centre][:0], targets[centre][:0]
    return sources, targets


def _cut(targets: list[Tensor], n_targets: int, size: int) -> tuple[Tensor, Tensor]:
    """Where the blocks begin among the pairs of an offset, (K, blocks + 1), and `splits`."""
    blocks = max(1, -(-n_targets // size))
    starts = torch.arange(0, (blocks + 1) * size, size, dtype=torch.int32, device=targets[0].device)
    cuts = torch.stack([search(rows, starts) for rows in targets])
    return cuts, cuts.diff(dim=1).t().contiguous().cpu()


def _by_block(offsets: list[Tensor], splits: Tensor) -> Tensor:
    """(M,): offset after offset within block after block."""
    parts = [rows.split(sizes) for rows, sizes in zip(offsets, splits.t().tolist(), strict=True)]
    return torch.cat([part for block in zip(*parts, strict=True) for part in block])
