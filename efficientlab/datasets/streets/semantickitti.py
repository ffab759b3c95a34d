"""SemanticKITTI in its published folder format, read scan by scan; it does not ship.

    ROOT/sequences/00/velodyne/000000.bin    float32 x, y, z, remission of each point
    ROOT/sequences/00/labels/000000.label    uint32 of each point: the lower 16 bits are its class

Behley et al., "SemanticKITTI: A Dataset for Semantic Scene Understanding of LiDAR Sequences" (ICCV 2019).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from efficientlab.datasets.points.clouds import IGNORED, Clouds
from efficientlab.datasets.reading import visible
from efficientlab.datasets.splits import check_split
from efficientlab.kernels.backend import whole

CLASSES = (
    "car", "bicycle", "motorcycle", "truck", "other-vehicle", "person", "bicyclist", "motorcyclist", "road", "parking",
    "sidewalk", "other-ground", "building", "fence", "vegetation", "trunk", "terrain", "pole", "traffic-sign",
)  # fmt: skip
"""The 19 classes that are scored. Their numbers are one less than in the published map, where 0 is to be ignored."""

SEQUENCES = {"train": (0, 1, 2, 3, 4, 5, 6, 7, 9, 10), "val": (8,)}
"""The published split. The labels of the test sequences, 11 to 21, are not published."""

LEARNING_MAP = {
    0: 0, 1: 0, 10: 1, 11: 2, 13: 5, 15: 3, 16: 5, 18: 4, 20: 5, 30: 6, 31: 7, 32: 8, 40: 9, 44: 10, 48: 11, 49: 12,
    50: 13, 51: 14, 52: 0, 60: 9, 70: 15, 71: 16, 72: 17, 80: 18, 81: 19, 99: 0, 252: 1, 253: 7, 254: 6, 255: 8, 256: 5,
    257: 5, 258: 4, 259: 5,
}  # fmt: skip
"""From the labels in the files to classes, as the authors' configuration has it: moving things count as things."""


class SemanticKITTI:
    """The scans of a split; indexing with a slice or an index tensor reads them, and gives a batch of clouds.

    Of every scan `points` points are drawn by the seed, whole scans having different numbers of them; where a scan has
    fewer, some come twice. `Clouds.extra` is the remission, in 0 … 1. Labels are numbers of `CLASSES`, or `IGNORED`.

    Args:
        root: the folder that holds `sequences`.
        split: "train" or "val".
        points: to draw of each scan.
        seed: of the drawing.

    Raises:
        FileNotFoundError: a folder, or the labels of a scan, are missing.
        ValueError: an unknown split, or points not positive; when a scan is read, a file of another form.
    """

    def __init__(self, root: Path | str, split: str, *, points: int = 65536, seed: int = 0) -> None:
        check_split(split, SEQUENCES)
        if whole("points", points) < 1:
            raise ValueError(f"points must be positive, got {points}.")
        self.points, self.seed = points, seed
        base = Path(root) / "sequences"
        if not base.is_dir():
            raise FileNotFoundError(
                f"there is no folder {base}; unpack SemanticKITTI's archives into {root}."
            )
        present = [base / f"{number:02}" for number in SEQUENCES[split] if (base / f"{number:02}").is_dir()]
        scans = [folder / "velodyne" for folder in present if (folder / "velodyne").is_dir()]
        self.files = [file for folder in scans for file in visible(folder, (".bin",))]
        if not self.files:
            numbers = ", ".join(f"{number:02}" for number in SEQUENCES[split])
            raise FileNotFoundError(
                f"{base} holds no scan of {split}: no velodyne/*.bin in any of {numbers}."
            )
        for file in self.files:
            if not _labels_of(file).is_file():
                raise FileNotFoundError(
                    f"{_labels_of(file)} is missing; the labels are an archive of their own."
                )

    def __len__(self) -> int:
        return len(self.files)

    def scan(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """All points of one scan (P, 4), x, y, z in metres and remission, and their labels (P,)."""
        file = self.files[number]
        raw = file.read_bytes()
        if not raw or len(raw) % 16:
            raise ValueError(f"{file} has {len(raw):,} bytes; points have 16 each: was it cut off?")
        points = np.frombuffer(raw, "<f4").reshape(-1, 4)
        if not np.isfinite(points).all():
            raise ValueError(f"{file} holds numbers that are not finite.")
        remission = points[:, 3]
        if remission.min() < 0 or remission.max() > 1:
            raise ValueError(
                f"{file}: remission must be 0 to 1, got {remission.min():g} to {remission.max():g}."
            )
        labels = _labels_of(file)
        stored = labels.read_bytes()
        if len(stored) != 4 * len(points):
            raise ValueError(f"{labels} has {len(stored):,} bytes for {len(points):,} points; a label has 4.")
        kind = np.frombuffer(stored, "<u4") & 0xFFFF
        strange = np.setdiff1d(kind, list(LEARNING_MAP))
        if len(strange):
            raise ValueError(f"{labels} holds label {strange[0]}, which is not in the published map.")
        return points.astype(np.float32), _NUMBER[kind]

    def __getitem__(self, index: Any) -> Clouds:
        chosen = torch.arange(len(self))[index].reshape(-1).tolist()
        if not chosen:
            raise ValueError(f"the index {index!r} chooses none of {len(self)} scans.")
        rows, labels = [], []
        for number in chosen:
            points, label = self.scan(number)
            rng = np.random.default_rng([self.seed, number])
            orders = [rng.permutation(len(points)) for _ in range(-(-self.points // len(points)))]
            kept = np.concatenate(orders)[: self.points]
            rows.append(points[kept].T)
            labels.append(label[kept])
        x = torch.from_numpy(np.stack(rows))  # (N, 4, P)
        part = torch.from_numpy(np.stack(labels))
        return Clouds(
            x[:, :3].contiguous(), x[:, 3:].contiguous(), part, torch.zeros(len(x), dtype=torch.int64)
        )


_NUMBER = np.full(max(LEARNING_MAP) + 1, IGNORED, np.int64)
for _raw, _class in LEARNING_MAP.items():
    _NUMBER[_raw] = _class - 1 if _class else IGNORED


def _labels_of(file: Path) -> Path:
    return file.parent.parent / "labels" / f"{file.stem}.label"
