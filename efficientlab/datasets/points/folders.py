"""The published folder formats of ShapeNet-Part, ModelNet40 and S3DIS, each read into `Clouds`.

None of these sets ships. `archives.fetch_archive` downloads ShapeNet-Part from `SHAPENET_PART_URL` and ModelNet40 from
`MODELNET40_URL`; S3DIS is given out by its authors on request. All are text files of one point a line. A set is read
once, with a fixed number of points drawn from each file by a seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from efficientlab.datasets.points.clouds import Clouds, PartNames
from efficientlab.datasets.reading import distinct, json_of, lines, visible
from efficientlab.datasets.splits import check_split
from efficientlab.kernels.backend import whole
from efficientlab.kernels.scale import largest_of, unit_power

SHAPENET_PARTS = PartNames(
    {
        "Airplane": ("body", "wing", "tail", "engine"),
        "Bag": ("handle", "body"),
        "Cap": ("panel", "peak"),
        "Car": ("roof", "hood", "wheel", "body"),
        "Chair": ("back", "seat", "leg", "arm"),
        "Earphone": ("earcup", "headband", "wire"),
        "Guitar": ("head", "neck", "body"),
        "Knife": ("blade", "handle"),
        "Lamp": ("base", "shade", "bulb", "pole"),
        "Laptop": ("keyboard", "screen"),
        "Motorbike": ("tank", "seat", "wheel", "handle", "light", "frame"),
        "Mug": ("handle", "cup"),
        "Pistol": ("barrel", "handle", "trigger"),
        "Rocket": ("body", "fin", "nose"),
        "Skateboard": ("wheel", "deck", "truck"),
        "Table": ("top", "leg", "drawer"),
    }
)
"""16 categories, 50 parts. The published labels are numbers; the parts' names here are descriptions of them."""

S3DIS_CLASSES = (
    "ceiling", "floor", "wall", "beam", "column", "window", "door",
    "table", "chair", "sofa", "bookcase", "board", "clutter",
)  # fmt: skip


def shapenet_part(root: Path | str, split: str, *, points: int = 2048, seed: int = 0) -> Clouds:
    """ShapeNet-Part with normals (Yi et al., SIGGRAPH Asia 2016): 16,881 objects, lines of `x y z nx ny nz label`.

    Reads `synsetoffset2category.txt`, `train_test_split/shuffled_<split>_file_list.json` and
    `<synset>/<object>.txt`, as in shapenetcore_partanno_segmentation_benchmark_v0_normal.zip. Each cloud is centred
    and scaled to the unit ball. `category` numbers `SHAPENET_PARTS.categories`; labels are the published ones.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: an unknown split, or a file of another form.
    """
    base = _base(root)
    check_split(split)
    _positive(points=whole("points", points))
    synsets = _synsets(base / "synsetoffset2category.txt")
    listing = base / "train_test_split" / f"shuffled_{split}_file_list.json"
    clouds, category = [], []
    for name in json_of(listing, list):
        synset, item = _synset_and_object(name, listing)
        if synset not in synsets:
            raise ValueError(f"{name}: synset {synset} is not in synsetoffset2category.txt of {base}.")
        file = base / synset / f"{item}.txt"
        kind = SHAPENET_PARTS.categories.index(synsets[synset])
        table = _table(file, 7)
        _check_labels(table[:, 6], kind, file)
        clouds.append(_drawn(table, points, file.stem, seed))
        category.append(kind)
    drawn = torch.stack(clouds)  # (N, P, 7)
    return Clouds(
        _unit(drawn[:, :, :3].mT),
        drawn[:, :, 3:6].mT.float().contiguous(),
        drawn[:, :, 6].long(),
        torch.tensor(category),
    )


def _check_labels(labels: NDArray[np.float64], category: int, file: Path) -> None:
    """All points of an object have labels of its category."""
    if (broken := labels[labels != labels.round()]).size:
        raise ValueError(f"{file}: labels must be whole numbers, got {broken[0]:g}.")
    if not 0 <= labels.min() <= labels.max() < len(SHAPENET_PARTS.names):
        raise ValueError(f"{file}: labels must be 0 to 49, got {labels.min():.0f} to {labels.max():.0f}.")
    own = SHAPENET_PARTS.mask()[category].numpy()
    if (foreign := labels[~own[labels.astype(np.int64)]]).size:
        raise ValueError(
            f"{file}: label {foreign[0]:.0f} is no part of category {SHAPENET_PARTS.categories[category]}."
        )


def _synsets(file: Path) -> dict[str, str]:
    """Synset number to category, from lines of `category synset`."""
    synsets = {}
    for line in lines(file):
        category, _, synset = line.partition("\t") if "\t" in line else line.partition(" ")
        if category.strip() not in SHAPENET_PARTS.categories or not synset.strip():
            raise ValueError(f"{file}: expected a category of ShapeNet-Part and its synset, got {line!r}.")
        synsets[synset.strip()] = category.strip()
    return synsets


def _synset_and_object(name: object, listing: Path) -> tuple[str, str]:
    """The last two parts of a path, published as shape_data/<synset>/<object>; Windows' backslashes are understood."""
    parts = name.replace("\\", "/").split("/") if isinstance(name, str) else []
    if len(parts) < 2 or not all(parts[-2:]):
        raise ValueError(f"{listing}: expected shape_data/<synset>/<object>, got {name!r}.")
    return parts[-2], parts[-1]


def modelnet40(root: Path | str, split: str, *, points: int = 1024, seed: int = 0) -> Clouds:
    """ModelNet40 with normals (Wu et al., CVPR 2015): 12,311 objects, lines of `x,y,z,nx,ny,nz`.

    Reads `modelnet40_shape_names.txt`, `modelnet40_<split>.txt` and `<class>/<class>_<number>.txt`, as in
    modelnet40_normal_resampled.zip of PointNet++. Splits are "train" and "test". It has whole objects' classes and
    no parts: `category` is the class, and `part` repeats it for each point.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: an unknown split, or a file of another form.
    """
    base = _base(root)
    _positive(points=whole("points", points))
    names = base / "modelnet40_shape_names.txt"
    classes = distinct(lines(names), names)
    clouds, category = [], []
    for name in lines(base / f"modelnet40_{check_split(split, ('train', 'test'))}.txt"):
        kind = name.rpartition("_")[0]  # such as night_stand_0001
        if kind not in classes:
            raise ValueError(f"{name}: {kind!r} is not in modelnet40_shape_names.txt of {base}.")
        clouds.append(_drawn(_table(base / kind / f"{name}.txt", 6, ","), points, name, seed))
        category.append(classes.index(kind))
    table, label = torch.stack(clouds), torch.tensor(category)  # (N, P, 6), (N,)
    part = label[:, None].expand(-1, points).contiguous()
    return Clouds(_unit(table[:, :, :3].mT), table[:, :, 3:].mT.float().contiguous(), part, label)


def s3dis(
    root: Path | str,
    areas: Sequence[int],
    *,
    points: int = 4096,
    block: float = 1.0,
    seed: int = 0,
) -> Clouds:
    """S3DIS (Armeni et al., CVPR 2016): rooms cut into columns of `block` × `block` metres.

    Reads `Area_<n>/<room>/Annotations/<class>_<number>.txt`, lines of `x y z r g b`, as in
    Stanford3dDataset_v1.2_Aligned_Version. Usually areas 1, 2, 3, 4 and 6 train and area 5 tests. Coordinates are in
    metres from the middle of the column's ground; `extra` holds colour in [0, 1] and the place in the room in
    [0, 1], six numbers. Columns of fewer than 100 points are left out; classes without a name count as clutter.

    Raises:
        FileNotFoundError: a folder is missing.
        ValueError: no areas, or one twice; no column with enough points, or a file of another form.
        TypeError: points or an area is no whole number.
    """
    base = _base(root)
    _positive(points=whole("points", points), block=block)
    if not isinstance(areas, Iterable) or isinstance(areas, str):
        raise ValueError(f"areas must be a list of numbers of 1 to 6, such as [{areas}]; got {areas!r}.")
    areas = [whole("areas", area) for area in areas]
    if not areas:
        raise ValueError("areas is empty; S3DIS has areas 1 to 6.")
    if len(set(areas)) < len(areas):
        raise ValueError(f"areas must not name one twice, got {areas}.")
    clouds = []
    for area in areas:
        rooms = [room / "Annotations" for room in visible(_base(base / f"Area_{area}"))]
        rooms = [room for room in rooms if room.is_dir()]
        if not rooms:
            raise FileNotFoundError(f"{base / f'Area_{area}'} holds no <room>/Annotations.")
        for room in rooms:
            table = _room(room)  # (points of the room, 7)
            low = table[:, :3].min(0)
            size = np.maximum(table[:, :3].max(0) - low, 1e-6)
            cell = ((table[:, :2] - low[:2]) // block).astype(np.int64)  # (points, 2)
            for corner in np.unique(cell, axis=0):
                column = table[(cell == corner).all(1)]
                if len(column) < 100:
                    continue
                middle = np.array([*(low[:2] + (corner + 0.5) * block), low[2]])
                place = (column[:, :3] - low) / size
                rows = np.hstack([column[:, :3] - middle, column[:, 3:6] / 255, place, column[:, 6:]])
                name = f"{area}/{room.parent.name}/{corner[0]}/{corner[1]}"
                clouds.append(_drawn(rows, points, name, seed).float())
    if not clouds:
        raise ValueError(f"no column of {block} m in areas {list(areas)} holds 100 points; take larger ones.")
    table10 = torch.stack(clouds)  # (N, P, 10)
    return Clouds(
        table10[:, :, :3].mT.contiguous(),
        table10[:, :, 3:9].mT.contiguous(),
        table10[:, :, 9].long(),
        torch.zeros(len(clouds), dtype=torch.int64),
    )


def _room(annotations: Path) -> NDArray[np.float64]:
    """All points of a room with their class: (points, 7)."""
    tables = []
    for file in visible(annotations, (".txt",)):
        kind = (file.stem.rpartition("_")[0] or file.stem).lower()
        label = S3DIS_CLASSES.index(kind if kind in S3DIS_CLASSES else "clutter")  # "stairs" have no class
        table = _table(file, 6)
        if table[:, 3:].min() < 0 or table[:, 3:].max() > 255:
            raise ValueError(
                f"{file}: colours must be 0 to 255, got {table[:, 3:].min():g} to {table[:, 3:].max():g}."
            )
        tables.append(np.hstack([table, np.full((len(table), 1), label)]))
    if not tables:
        raise FileNotFoundError(f"{annotations} holds no <class>_<number>.txt.")
    return np.concatenate(tables)


def _base(root: Path | str) -> Path:
    base = Path(root)
    if not base.is_dir():
        raise FileNotFoundError(f"there is no folder {base}; unpack the data set's archive there.")
    return base


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} must be positive, got {value}.")


def _table(file: Path, columns: int, delimiter: str | None = None) -> NDArray[np.float64]:
    """The numbers of a text file: (lines, columns); all of them finite in float32.

    In float64, until they are centred: float32 counts a survey's coordinates, millions of metres, in half metres.
    """
    rows = lines(file)
    try:
        table = np.loadtxt(rows, np.float64, delimiter=delimiter, ndmin=2, comments=None)
    except ValueError as error:
        raise ValueError(f"{file} is not a table of numbers: {error}") from None
    if not len(table) or table.shape[1] != columns:
        raise ValueError(f"{file} must hold lines of {columns} numbers, got a table of {table.shape}.")
    too_large = ~(np.abs(table) <= np.finfo(np.float32).max)  # NaN as well
    if too_large.any():
        row, column = np.argwhere(too_large)[0]
        raise ValueError(
            f"{file} is not a table of numbers: {table[row, column]} in line {row + 1} of those that are not "
            f"blank, column {column + 1}, is not finite in float32."
        )
    return table


def _drawn(table: NDArray[np.float64], points: int, name: str, seed: int) -> Tensor:
    """`points` rows, by the seed and the file's name; a row comes twice only where there are too few."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    rows = [rng.permutation(len(table)) for _ in range(-(-points // len(table)))]
    return torch.from_numpy(table[np.concatenate(rows)[:points]])


def _unit(points: Tensor) -> Tensor:
    """Clouds float32 (N, 3, P), centred on the mean of their points, the farthest of which is at distance 1."""
    centred = points - points.mean(2, keepdim=True)
    centred = centred * unit_power(largest_of(centred))
    radius = centred.norm(dim=1, keepdim=True).amax(2, keepdim=True)  # (N, 1, 1)
    return torch.where(radius > 0, centred / radius, 0.0).float()
