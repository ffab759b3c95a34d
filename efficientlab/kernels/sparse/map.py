"""Which input meets which output under which weight: the kernel map of a sparse convolution.

Pair (i, o) belongs to offset k if coords_in[i] = coords_out[o] · stride + offset[k]. A convolution needs
nothing else: y[o] = Σ_k Σ_(i,o) in k  x[i] W[k]. The same pairs, read backwards, are its transposed
convolution and its gradient.

Offsets that differ in z alone lead to neighbouring keys, so one search serves a whole line of the kernel. A
submanifold convolution (same inputs and outputs, odd kernel) has each pair twice, once in each direction, and
half of the lines are enough.

Graham, Engelcke and van der Maaten, "3D Semantic Segmentation with Submanifold Sparse Convolutional Networks"
(CVPR 2018); Choy, Gwak and Savarese, "4D Spatio-Temporal ConvNets" (CVPR 2019), for generalised outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

import torch
from torch import Tensor

from efficientlab.kernels.backend import flat_nonzero
from efficientlab.kernels.sparse.coords import (
    Box,
    Size,
    check_coords,
    kernel_offsets,
    largest,
    search,
    sort_keys,
    triple,
    with_end,
)
from efficientlab.kernels.sparse.plan import block_rows, blocked_plan, masked_plan


@dataclass(frozen=True, eq=False)
class KernelMap:
    """The pairs of a sparse convolution, offset after offset. Made by `kernel_map`.

    source: (M,) int32, the input row of each pair.
    target: (M,) int32, its output row, ascending within an offset.
    counts: pairs of each of the K offsets, in the order of `kernel_offsets`.
    n_sources, n_targets: number of input and output voxels.
    symmetric: the map is its own transpose when its offsets are read in reverse.
    plans: the pairs as `sparse_conv` needs them, once it has.
    """

    source: Tensor
    target: Tensor
    counts: tuple[int, ...]
    n_sources: int
    n_targets: int
    symmetric: bool = False
    plans: dict[tuple[bool, int], list[Tensor]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    @torch.inference_mode(False)
    def T(self) -> KernelMap:
        """From outputs back to inputs: the map of the transposed convolution."""
        if self.symmetric:
            pairs = (reversed(part.split(self.counts)) for part in (self.source, self.target))
            source, target = (torch.cat(list(parts)) for parts in pairs)
            counts = self.counts[::-1]
        else:
            source, target = _ascending(self.target, self.source, self.counts, self.n_sources)
            counts = self.counts
        other = KernelMap(source, target, counts, self.n_targets, self.n_sources, self.symmetric)
        other.__dict__["T"] = self
        return other

    def plan(self, masked: bool, width: int) -> list[Tensor]:
        """`plan.MaskedPlan` or `BlockedPlan`, made once for features of up to `width` channels."""
        size = block_rows(self.source, width)
        key = masked, 0 if masked else size
        if key not in self.plans:
            make = masked_plan if masked else blocked_plan
            pairs = self.source, self.target, self.counts, self.n_targets, self.symmetric
            self.plans[key] = list(make(*pairs, size))
        return self.plans[key]


def kernel_map(
    coords: Tensor, out_coords: Tensor, kernel_size: Size, stride: Size = 1, dilation: Size = 1
) -> KernelMap:
    """Find the pairs of a sparse convolution.

    With out_coords = coords it is the submanifold convolution, with `downsample(coords, stride)` the strided
    one, with `reached_voxels(…)` the generalised one; `.T` of the last two are their transposes.

    Args:
        coords: (V, 4) integers: batch, x, y, z, distinct. Sorted ones (see `occupied_voxels`) are fastest.
        out_coords: (V', 4) integers, distinct, counted in strides.
        kernel_size: of x, y and z. Odd ones are centred, even ones begin at the output: `kernel_offsets`.
        stride: of x, y and z.
        dilation: of x, y and z.

    Returns:
        The map, on the device of coords.

    Raises:
        ValueError: coords or out_coords is not (V, 4), has duplicates, holds what int32 cannot count or spans more
            than an int64 can; a size is not positive.
        TypeError: coords or a size are not integers, or not all are on one device.
    """
    if torch.compiler.is_compiling():  # sizes depend on data: a compiler would break the search into pieces
        return torch.compiler.disable(_find_pairs)(coords, out_coords, kernel_size, stride, dilation)
    return _find_pairs(coords, out_coords, kernel_size, stride, dilation)


@torch.inference_mode(False)  # a map found in evaluation serves training, too
def _find_pairs(
    coords: Tensor, out_coords: Tensor, kernel_size: Size, stride: Size, dilation: Size
) -> KernelMap:
    offsets = list(kernel_offsets(kernel_size, dilation))
    steps = triple("stride", stride)
    centred = all(s % 2 for s in triple("kernel_size", kernel_size))
    symmetric = out_coords is coords and centred and steps == (1, 1, 1)
    coords = check_coords("coords", coords)
    out_coords = coords if symmetric else check_coords("out_coords", out_coords)
    if coords.device != out_coords.device:
        raise TypeError(f"coords are on {coords.device}, out_coords on {out_coords.device}")
    n_in, n_out = len(coords), len(out_coords)
    places = _times(out_coords, steps)
    reach = [max(abs(offset[axis]) for offset in offsets) for axis in range(3)]
    box = Box.around(coords, places, margin=reach)
    keys, in_row = sort_keys(box.pack(coords), coords)
    wanted, out_row = (keys, in_row) if symmetric else sort_keys(box.pack(places), out_coords)

    sources, targets = [], []
    for source, target in _lines(box, keys, wanted, offsets[: len(offsets) // 2] if symmetric else offsets):
        sources.append(source.int() if in_row is None else in_row[source].int())
        targets.append(target.int() if out_row is None else out_row[target].int())
    if symmetric:
        itself = torch.arange(n_in, dtype=torch.int32, device=coords.device)
        sources, targets = [*sources, itself, *targets[::-1]], [*targets, itself, *sources[::-1]]
    counts = tuple(map(len, sources))
    pairs = torch.cat(sources), torch.cat(targets)
    if in_row is not None or out_row is not None:
        pairs = _ascending(*pairs, counts, n_out)
    return KernelMap(*pairs, counts, n_in, n_out, symmetric)


def _times(coords: Tensor, steps: tuple[int, int, int]) -> Tensor:
    """coords · (1, *steps), in int64 where int32 is too narrow for a product."""
    if steps == (1, 1, 1):
        return coords
    wide = coords if largest(coords) * max(steps) <= torch.iinfo(torch.int32).max else coords.long()
    return wide * wide.new_tensor([1, *steps])


def _lines(
    box: Box, keys: Tensor, wanted: Tensor, offsets: list[tuple[int, int, int]]
) -> Iterator[tuple[Tensor, Tensor]]:
    """For each offset the places in keys and in wanted of its pairs; both ascend, for steps keep the order."""
    _, x_stride, y_stride, _ = box.strides
    padded = with_end(keys)
    for (x, y), line in groupby(offsets, key=lambda offset: offset[:2]):
        start, last = wanted + (x * x_stride + y * y_stride), None
        for *_, z in line:
            key = start + z
            if last is None or z != last + 1:
                place = search(keys, key)
            hit = padded.index_select(0, place) == key
            target = flat_nonzero(hit)
            yield place.index_select(0, target), target
            place += hit  # the first key that is not less than the next one on the line
            last = z


def _ascending(
    source: Tensor, target: Tensor, counts: tuple[int, ...], n_targets: int
) -> tuple[Tensor, Tensor]:
    """The pairs with ascending targets within each offset."""
    offset = torch.repeat_interleave(torch.tensor(counts, device=target.device))
    order = (offset * n_targets + target).argsort(stable=True)
    return source[order], target[order]
