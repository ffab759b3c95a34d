"""The rows of benchmarks/kernels.py on point clouds: voxels, sparse convolution, neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from kernels_rivals import find_rival
from kernels_row import Row, backward_of
from torch import Tensor

from efficientlab.kernels import (
    avg_voxelize,
    ball_query,
    farthest_point_sample,
    kernel_map,
    knn,
    normalize_to_grid,
    occupied_voxels,
    sparse_conv,
    trilinear_devoxelize,
)
from efficientlab.kernels.sparse.conv import _masked_on


def lidar_voxels(n_voxels: int, seed: int = 0) -> Tensor:
    """(n_voxels, 4) int32, sorted: those nearest to a LiDAR of 64 beams among boxes on a plane.

    Voxels of 12 cm, or 5 cm where more than 50,000 are asked for; 9 to 10 neighbours each, as in real scans.
    """
    generator = torch.Generator().manual_seed(seed)
    elevation = torch.deg2rad(torch.linspace(-24.8, 2.0, 64))[:, None]
    azimuth = torch.linspace(0, 2 * torch.pi, 4096)
    x, y = (elevation.cos() * f(azimuth) for f in (torch.cos, torch.sin))
    ray = torch.stack([x, y, elevation.sin().expand_as(x)], -1).view(-1, 3)
    ground = -1.73 / ray[:, 2]
    reach = torch.where((ground > 0) & (ground < 80), ground, 80.0)
    for _ in range(60):
        centre = (torch.rand(3, generator=generator) - 0.5) * torch.tensor([100, 100, 0])
        centre[2] = -1
        half = torch.rand(3, generator=generator) * torch.tensor([3, 3, 1.5]) + 0.5
        low, high = (centre - half) / ray, (centre + half) / ray
        enter, leave = torch.minimum(low, high).amax(1), torch.maximum(low, high).amin(1)
        hit = (enter < leave) & (enter > 0) & (centre.norm() > 6)
        reach = torch.where(hit, torch.minimum(reach, enter), reach)
    points = ray * reach[:, None] + torch.randn(ray.shape, generator=generator) * 0.02
    points = points[reach < 79] / (0.05 if n_voxels > 50_000 else 0.12)
    coords = occupied_voxels(F.pad(points, (1, 0)))
    nearest = coords[:, 1:3].float().norm(dim=1).argsort(stable=True)[:n_voxels]
    coords = coords[nearest.sort()[0]]
    assert len(coords) == n_voxels
    return coords - coords.amin(0)


# ----------------------------------------------------------------------------------- voxelize, devoxelize


def voxel_rows(device: str) -> Iterator[Row]:
    """PVCNN's first stage: 2,048 points, 64 channels, 32³ voxels."""
    n, c, p, r = (8 if device == "cpu" else 64), 64, 2048, 32
    coords = normalize_to_grid(torch.randn(n, 3, p, device=device), r)
    features = torch.randn(n, p, c, device=device).transpose(1, 2)
    voxels = torch.randn(n, c, r, r, r, device=device).contiguous(memory_format=torch.channels_last_3d)
    plain, at = voxels.contiguous(), (coords.mT.flip(2) * (2 / (r - 1)) - 1)[:, :, None, None]

    def sample(voxels: Tensor) -> Tensor:
        return F.grid_sample(voxels, at, align_corners=True, padding_mode="border")[..., 0, 0]

    torch.testing.assert_close(sample(plain), trilinear_devoxelize(voxels, coords), atol=1e-4, rtol=0)
    case = f"{n} × {p} points × {c} channels, {r}³"
    yield Row(
        "avg_voxelize",
        case,
        {
            "zero-fill of the output": lambda: torch.zeros(n, c, r, r, r, device=device),
            "scatter_add": lambda: voxelize_by_scatter(features, coords, r),
            "ours": lambda: avg_voxelize(features, coords, r),
        },
        baseline="zero-fill of the output",
        ours="ours",
        limit=1.25,
    )
    yield Row(
        "trilinear_devoxelize",
        case,
        {
            "grid_sample": lambda: sample(plain),
            "grid_sample, channels_last_3d": lambda: sample(voxels),
            "ours": lambda: trilinear_devoxelize(voxels, coords),
        },
        baseline="grid_sample",
        ours="ours",
        limit=1 / 8,
        stretch=0.08,
    )
    yield Row(
        "trilinear_devoxelize",
        case + ", backward",
        {
            "grid_sample": backward_of(sample, plain),
            "ours": backward_of(lambda v: trilinear_devoxelize(v, coords), voxels),
        },
        baseline="grid_sample",
        ours="ours",
        limit=1 / 4,
        stretch=0.2,
    )


def voxelize_by_scatter(features: Tensor, coords: Tensor, resolution: int) -> Tensor:
    """The plain form: sums and counts added atomically, or one after the other on a CPU."""
    x, y, z = coords.round().long().unbind(1)
    index = ((x * resolution + y) * resolution + z)[:, None]  # (N, 1, P)
    n, c, _ = features.shape
    total = features.new_zeros(n, c, resolution**3).scatter_add_(2, index.expand_as(features), features)
    count = features.new_zeros(n, 1, resolution**3).scatter_add_(2, index, torch.ones_like(features[:, :1]))
    return (total / count.clamp(min=1)).unflatten(2, (resolution,) * 3)


# -------------------------------------------------------------------------------------- sparse convolution


ASKED = {  # (op, voxels) → required and stretched ratio to the rival, for 32 and 64 channels
    "cpu": {
        ("kernel_map", 20_000): (1.3, 0.7),
        ("sparse_conv", 20_000): (0.95, 0.8),
        ("sparse_conv backward", 20_000): (1.0, 0.8),
        ("kernel_map", 100_000): (0.85, 0.5),
        ("sparse_conv", 100_000): (0.8, 0.5),
        ("sparse_conv backward", 100_000): (0.9, 0.6),
    },
    "cuda": {("sparse_conv", 100_000): (1.1, None)},
}


def sparse_rows(device: str) -> Iterator[Row]:
    """A submanifold 3³ convolution on sorted voxels: its map, then both passes."""
    dtype = torch.float32 if device == "cpu" else torch.float16
    alone = device == "cuda" or torch.get_num_threads() == 1
    for n in (20_000, 100_000):
        coords = lidar_voxels(n).to(device)
        rival = find_rival(coords)
        summing = rival if alone else None  # spconv 2.3.8's threads on a CPU race: some rows lack a sum
        size = f"{n // 1000} k voxels"
        asked = {op: limits for (op, voxels), limits in ASKED[device].items() if rival and voxels == n}
        limit, stretch = asked.get("kernel_map", (None, None))
        yield Row(
            "kernel_map",
            size,
            ({rival.name: rival.map} if rival else {})
            | {"search for each offset": lambda coords=coords: map_by_search(coords)}
            | {"ours": lambda coords=coords: planned(coords)},
            baseline=rival.name if rival else "search for each offset",
            ours="ours",
            limit=limit,
            stretch=stretch,
        )
        pairs, plain = kernel_map(coords, coords, 3), map_by_search(coords)
        for c in (32, 64):
            x = torch.randn(n, c, device=device, dtype=dtype)
            weight = torch.randn(27, c, c, device=device, dtype=dtype) / (9 * c) ** 0.5
            fns: dict[str, Callable[..., Tensor]] = {
                "gather, matmul, index_add": lambda x, w, plain=plain: conv_by_index_add(x, w, plain),
                "ours": lambda x, w, pairs=pairs: sparse_conv(x, w, pairs),
            }
            tolerance = 1e-4 if device == "cpu" else 2e-2
            expected = fns["ours"](x, weight)
            torch.testing.assert_close(
                fns["gather, matmul, index_add"](x, weight), expected, atol=tolerance, rtol=0
            )
            forward = {name: lambda f=f, x=x, w=weight: f(x, w) for name, f in fns.items()}
            backward = {name: backward_of(f, x, weight) for name, f in fns.items()}
            if summing:
                its_forward, its_backward = summing.passes(x, weight)
                torch.testing.assert_close(its_forward(), expected, atol=tolerance, rtol=0)
                forward = {summing.name: its_forward} | forward
                backward = {summing.name: its_backward} | backward
            for op, contestants in (("sparse_conv", forward), ("sparse_conv backward", backward)):
                limit, stretch = asked.get(op, (None, None)) if summing else (None, None)
                yield Row(
                    op,
                    f"{size}, {c} channels",
                    contestants,
                    baseline=summing.name if summing else "gather, matmul, index_add",
                    ours="ours",
                    limit=limit,
                    stretch=stretch,
                    rounds=10,
                )


def planned(coords: Tensor) -> object:
    """A map with everything that a convolution needs of it, for a fair comparison."""
    pairs = kernel_map(coords, coords, 3)
    return pairs.plan(_masked_on(coords.half()), 64)


def map_by_search(coords: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The plain form: a binary search for each offset."""
    size = (coords.amax(0) + 3).tolist()
    _, x, y, z = coords.long().unbind(1)
    keys = (x * size[2] + y) * size[3] + z
    pairs = []
    for k in range(27):
        step = ((k // 9 - 1) * size[2] + k // 3 % 3 - 1) * size[3] + k % 3 - 1
        place = torch.searchsorted(keys, keys + step).clamp(max=len(keys) - 1)
        target = (keys[place] == keys + step).nonzero()[:, 0]
        pairs.append((place[target], target))
    return pairs


def conv_by_index_add(x: Tensor, weight: Tensor, pairs: list[tuple[Tensor, Tensor]]) -> Tensor:
    y = x.new_zeros(len(x), weight.shape[2])
    for (source, target), w in zip(pairs, weight, strict=True):
        y = y.index_add(0, target, x[source] @ w)
    return y


# ------------------------------------------------------------------------------------------------ points


def point_rows(device: str) -> Iterator[Row]:
    """PointNet++'s first stage: 2,048 points, 512 centres, 32 neighbours."""
    points = torch.randn(8, 3, 2048, device=device)
    centres = points[:, :, :512].contiguous()
    for op, fns in {
        "farthest_point_sample": {
            "cdist": lambda: sample_by_cdist(points, 512),
            "ours": lambda: farthest_point_sample(points, 512),
        },
        "ball_query": {
            "cdist + sort": lambda: ball_by_sort(points, centres, 0.4, 32),
            "ours": lambda: ball_query(points, centres, 0.4, 32),
        },
        "knn": {
            "cdist + topk": lambda: torch.cdist(centres.mT, points.mT).topk(32, largest=False),
            "ours": lambda: knn(points, centres, 32),
        },
    }.items():
        yield Row(op, "8 × 2048 points, 512 centres", fns, next(iter(fns)), "ours", rounds=10)


def sample_by_cdist(points: Tensor, n_samples: int) -> Tensor:
    distance = torch.cdist(points.mT, points.mT)
    rows = torch.arange(len(points), device=points.device)
    chosen = torch.zeros(len(points), n_samples, dtype=torch.int64, device=points.device)
    gap = torch.full_like(points[:, 0], torch.inf)
    for m in range(1, n_samples):
        gap = torch.minimum(gap, distance[rows, chosen[:, m - 1]])
        chosen[:, m] = gap.argmax(1)
    return chosen


def ball_by_sort(points: Tensor, centres: Tensor, radius: float, k: int) -> Tensor:
    count = points.shape[2]
    index = torch.arange(count, device=points.device).expand(len(points), centres.shape[2], -1)
    index = index.masked_fill(torch.cdist(centres.mT, points.mT) >= radius, count)
    index = index.sort(2)[0][:, :, :k]
    first = index[:, :, :1].where(index[:, :, :1] < count, 0)
    return index.where(index < count, first)


POINT_ROWS: list[Callable[[str], Iterator[Row]]] = [voxel_rows, sparse_rows, point_rows]
