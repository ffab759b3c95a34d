"""Sets of streets as four cameras and a LiDAR saw them, with what a detector and a map are trained on.

The two sensors complete each other by construction. Paint, and with it crossings, bicycle lanes and dividers, and
the colour that tells a taxi from a car, are in pictures alone. Distance and shape are in the points alone. At night
the pictures are dark, the points as by day; a cheaper LiDAR has fewer beams.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from efficientlab.datasets.splits import SPLITS, check_split
from efficientlab.datasets.streets.cameras import Cameras, draw_augment, rig
from efficientlab.datasets.streets.labels import GRID, boxes, map_raster
from efficientlab.datasets.streets.lidar import Lidar, scan
from efficientlab.datasets.streets.ragged import Ragged
from efficientlab.datasets.streets.rendering import render
from efficientlab.datasets.streets.scene import draw_scene
from efficientlab.kernels.bev import BEVGrid

LIDAR = Lidar(beams=24, columns=240, lowest=-0.40, highest=0.06, reach=30.0)
TILT = 0.02


@dataclass(frozen=True)
class Views:
    """N streets; indexing with a slice or an index tensor gives another set.

    Attributes:
        image: uint8 (N, M, 3, H, W).
        depth: float16 (N, M, H, W), metres along each camera's axis, infinite in the sky: for pictures, not to learn.
        intrinsics, augment: float32 (N, M, 3, 3), and to_rig: float32 (N, M, 4, 4), as in `Cameras`.
        points: x, y, z in metres in the rig's frame, and the beam, 0 the lowest; float32 (ΣP, 4).
        boxes: as `labels.boxes`; float32 (ΣT, 8).
        map: bool (N, K, X, Y), as `labels.map_raster`.
        night: bool (N,).
    """

    image: Tensor
    depth: Tensor
    intrinsics: Tensor
    to_rig: Tensor
    augment: Tensor
    points: Ragged
    boxes: Ragged
    map: Tensor
    night: Tensor

    def __len__(self) -> int:
        return len(self.image)

    def __getitem__(self, index: Any) -> Views:
        return self._each(lambda value: value[index])

    def to(self, device: torch.device | str) -> Views:
        return self._each(lambda value: value.to(device))

    def _each(self, change: Callable[[Any], Any]) -> Views:
        return Views(**{name: change(value) for name, value in vars(self).items()})

    def with_beams(self, beams: int) -> Views:
        """What a LiDAR with fewer beams had seen of the same streets: every so manyth beam, from the lowest.

        Raises:
            ValueError: beams is not a divisor of the number that there are.
        """
        if beams < 1 or LIDAR.beams % beams:
            raise ValueError(f"beams must divide {LIDAR.beams}, got {beams}")
        keep = self.points.rows[:, 3].long() % (LIDAR.beams // beams) == 0
        return replace(self, points=self.points.where(keep))

    def misplaced(self, degrees: float = 0.0, metres: float = 0.0) -> Views:
        """The same streets, and cameras that are believed to be where they are not: a calibration that is off.

        All cameras are believed to be turned about the rig's vertical, counterclockwise, and to stand further ahead.
        """
        angle = torch.deg2rad(torch.tensor(degrees))
        error = torch.eye(4).to(self.to_rig)
        error[0, 0] = error[1, 1] = angle.cos()
        error[1, 0], error[0, 1], error[0, 3] = angle.sin(), -angle.sin(), metres
        return replace(self, to_rig=error @ self.to_rig)

    def turned(self, quarters: int, mirrored: bool = False) -> Views:
        """The same streets in a frame that is mirrored (y → −y) and then turned counterclockwise by quarters.

        Exact on a square grid that lies around the rig. Pictures stay what they are: the cameras' mounts move.
        """
        cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters % 4]
        flip = -1 if mirrored else 1
        turn = torch.eye(4).to(self.to_rig)
        turn[:2, :2] = turn.new_tensor([[cosine, -sine * flip], [sine, cosine * flip]])
        points, boxes = self.points.rows.clone(), self.boxes.rows.clone()
        points[:, :2] = points[:, :2] @ turn[:2, :2].T
        boxes[:, 1:3] = boxes[:, 1:3] @ turn[:2, :2].T
        boxes[:, 7] = flip * boxes[:, 7] + quarters * torch.pi / 2
        return replace(
            self,
            to_rig=turn @ self.to_rig,
            points=replace(self.points, rows=points),
            boxes=replace(self.boxes, rows=boxes),
            map=torch.rot90(self.map.flip(3) if mirrored else self.map, quarters, (2, 3)),
        )


def street_views(
    split: str,
    streets: int,
    *,
    night: float = 0.0,
    augment: bool = False,
    seed: int = 0,
    size: tuple[int, int] = (32, 96),
    grid: BEVGrid = GRID,
) -> Views:
    """Draws streets and looks at them, under a progress bar; about 30 ms of one core each.

    A street depends on the seed, the split and its place alone: it is the same by day and at night, augmented or not.

    Args:
        split: "train", "val" or "test".
        streets: how many.
        night: the share that is seen at night, spread evenly.
        augment: pictures are scaled, moved, turned and flipped, each in its own way, and `Views.augment` says how.
        seed: of the whole set.
        size: (H, W) of the pictures.
        grid: of the map and the boxes.

    Raises:
        ValueError: unknown split, no streets, or a share that is none.
    """
    check_split(split)
    if streets < 1 or not 0 <= night <= 1:
        raise ValueError(f"streets must be positive and night in [0, 1]; got {streets} and {night}.")
    from tqdm import tqdm

    cameras = rig(size)
    numbers = tqdm(range(streets), desc=f"{split} streets", unit="street", mininterval=1.0)
    return stacked([_view((seed, SPLITS.index(split), i), night, cameras, augment, grid) for i in numbers])


def _view(
    seed: tuple[int, int, int], night: float, cameras: Cameras, augment: bool, grid: BEVGrid
) -> dict[str, Tensor]:
    scene = draw_scene(seed, tilt=TILT)
    if augment:
        cameras = cameras.augmented(draw_augment(cameras, np.random.default_rng([*seed, 4])))
    dark = int((seed[2] + 1) * night) > int(seed[2] * night)
    sweep, seen = scan(scene, LIDAR), render(scene, cameras, night=dark)
    single = partial(torch.tensor, dtype=torch.float32)
    return {
        "image": torch.from_numpy(seen.image),
        "depth": torch.from_numpy(seen.depth).half(),
        "intrinsics": single(cameras.intrinsics),
        "to_rig": single(cameras.to_rig),
        "augment": single(cameras.augment),
        "points": torch.from_numpy(np.c_[sweep.points, sweep.beam].astype(np.float32)),
        "boxes": torch.from_numpy(boxes(scene, sweep, grid)),
        "map": torch.from_numpy(map_raster(scene, grid)),
        "night": torch.tensor(dark),
    }


def stacked(each: list[dict[str, Tensor]]) -> Views:
    """A set of streets of which each is given as the attributes of `Views`, one street's own."""
    columns: dict[str, Any] = {name: [one[name] for one in each] for name in each[0]}
    for name, parts in columns.items():
        columns[name] = Ragged.of(parts) if name in ("points", "boxes") else torch.stack(parts)
    return Views(**columns)
