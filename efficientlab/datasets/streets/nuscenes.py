"""nuScenes as `Views`: real streets in the place of drawn ones.

Everything is given in the frame of the vehicle at the time of the LiDAR's sweep: x ahead, y to the left, z up, the
origin on the ground. Cameras fire at other times than the LiDAR, and the vehicle moves meanwhile, so a camera's mount
goes over the map's frame and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from efficientlab.datasets.pictures import read_picture
from efficientlab.datasets.streets.nuscenes_map import VectorMap
from efficientlab.datasets.streets.nuscenes_tables import MINI, Record, Tables, finite_numbers, rotation
from efficientlab.datasets.streets.solids import Array
from efficientlab.datasets.streets.views import Views, stacked
from efficientlab.kernels.backend import whole
from efficientlab.kernels.bev import BEVGrid

CHANNELS = ("CAM_FRONT", "CAM_FRONT_LEFT", "CAM_FRONT_RIGHT", "CAM_BACK", "CAM_BACK_LEFT", "CAM_BACK_RIGHT")
CLASSES = (
    "car", "truck", "bus", "trailer", "construction_vehicle",
    "pedestrian", "motorcycle", "bicycle", "traffic_cone", "barrier",
)  # fmt: skip
"""The ten classes that are scored. Categories that belong to none of them are left out."""
GRID = BEVGrid((-51.2, 51.2, 0.8), (-51.2, 51.2, 0.8), (-10.0, 10.0))
_PREFIXES = {
    "vehicle.car": "car",
    "vehicle.truck": "truck",
    "vehicle.bus": "bus",
    "vehicle.trailer": "trailer",
    "vehicle.construction": "construction_vehicle",
    "human.pedestrian.adult": "pedestrian",
    "human.pedestrian.child": "pedestrian",
    "human.pedestrian.construction_worker": "pedestrian",
    "human.pedestrian.police_officer": "pedestrian",
    "vehicle.motorcycle": "motorcycle",
    "vehicle.bicycle": "bicycle",
    "movable_object.trafficcone": "traffic_cone",
    "movable_object.barrier": "barrier",
}


def nuscenes_views(
    root: Path | str,
    scenes: str | Sequence[str],
    *,
    version: str = "v1.0-mini",
    size: tuple[int, int] = (96, 264),
    grid: BEVGrid = GRID,
) -> Views:
    """Reads all samples of some scenes. `Views.depth` is NaN, for nobody measured it.

    Args:
        root: the folder that holds `version`, `samples` and `maps`.
        scenes: "mini_train", "mini_val", or names of scenes, such as ("scene-0061",).
        version: "v1.0-mini", "v1.0-trainval" or "v1.0-test".
        size: (H, W); pictures are scaled to the width, and rows are cut off at the top.
        grid: of the map and the boxes.

    Raises:
        FileNotFoundError: a table, picture, sweep or map is missing; it is named.
        ValueError: no such scene, or a file that is damaged.
    """
    from tqdm import tqdm

    if not scenes:
        raise ValueError("scenes is empty; name one, or 'mini_train' or 'mini_val'.")
    if min(whole("size", pixels) for pixels in size) < 1:
        raise ValueError(f"size must be positive, got {size}.")
    names = MINI[scenes] if isinstance(scenes, str) and scenes in MINI else scenes
    tables = Tables(root, version)
    samples = tables.samples((names,) if isinstance(names, str) else tuple(names))
    maps: dict[str, VectorMap] = {}
    found = []
    for sample in tqdm(samples, desc="nuScenes", unit="sample", mininterval=1.0):
        scene = tables.get("scene", sample["scene_token"])
        city = tables.get("log", scene["log_token"])["location"]
        if city not in maps:
            maps[city] = VectorMap(Path(root) / "maps" / "expansion" / f"{city}.json")
        found.append(_view(tables, sample, maps[city], size, grid) | {"night": _night(scene)})
    return stacked(found)


def _night(scene: Record) -> Tensor:
    return torch.tensor("night" in scene["description"].lower())


def _view(
    tables: Tables, sample: Record, city: VectorMap, size: tuple[int, int], grid: BEVGrid
) -> dict[str, Tensor]:
    sweep = tables.frame(sample, "LIDAR_TOP")
    to_world = tables.to_world(sweep)  # from the vehicle at the time of the sweep
    images, intrinsics, mounts, augments = [], [], [], []
    for channel in CHANNELS:
        frame = tables.frame(sample, channel)
        image, augment = picture(tables.file(frame), size)
        images.append(image)
        augments.append(augment)
        intrinsics.append(_intrinsic(tables, frame, channel))
        mounts.append(np.linalg.inv(to_world) @ tables.to_world(frame) @ tables.to_ego(frame))
    height, width = size
    return {
        "image": torch.from_numpy(np.stack(images)),
        "depth": torch.full((len(CHANNELS), height, width), torch.nan, dtype=torch.float16),
        "intrinsics": torch.tensor(np.stack(intrinsics), dtype=torch.float32),
        "to_rig": torch.tensor(np.stack(mounts), dtype=torch.float32),
        "augment": torch.tensor(np.stack(augments), dtype=torch.float32),
        "points": torch.from_numpy(points(tables.file(sweep), tables.to_ego(sweep))),
        "boxes": torch.from_numpy(boxes(tables, sample, to_world, grid)),
        "map": torch.from_numpy(city.raster(to_world, grid)),
    }


def _intrinsic(tables: Tables, frame: Record, channel: str) -> Array:
    matrix = tables.get("calibrated_sensor", frame["calibrated_sensor_token"])["camera_intrinsic"]
    if np.shape(matrix) != (3, 3) or not np.isfinite(np.array(matrix, np.float64)).all():
        raise ValueError(
            f"{tables.folder}/calibrated_sensor.json has no intrinsics of {channel}; got {matrix}."
        )
    return np.array(matrix, np.float64)


def picture(path: Path, size: tuple[int, int]) -> tuple[NDArray[np.uint8], Array]:
    """A picture (3, H, W), scaled to the width and cut off at the top, and the augmentation (3, 3) that this is.

    Raises:
        ValueError: the file is no picture, or too flat for the height.
    """
    from PIL import Image

    height, width = size
    try:
        image = read_picture(path)
    except ValueError as error:
        raise ValueError(f"{path} is not a picture that can be read: {error}") from error
    tall = round(image.height * width / image.width)
    if tall < height:
        raise ValueError(f"{path} scaled to {width} pixels is {tall} high, less than {height}.")
    x, y = width / image.width, tall / image.height
    pixels = np.asarray(image.resize((width, tall), Image.Resampling.BILINEAR))[tall - height :]
    # The centre of pixel u is at u + ½ of the picture's width, which is what is scaled.
    augment = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2 - (tall - height)], [0, 0, 1]])
    return pixels.transpose(2, 0, 1).copy(), augment


def points(path: Path, to_ego: Array) -> NDArray[np.float32]:
    """(P, 4): x, y, z in the vehicle's frame, and the beam, of a `.pcd.bin` file.

    Such a file holds five float32 a point: x, y, z in the LiDAR's frame, intensity, and the ring.

    Raises:
        ValueError: the file does not hold whole points, or numbers that are not finite.
    """
    content = path.read_bytes()
    if not content or len(content) % 20:
        raise ValueError(
            f"{path} holds {len(content) / 4:g} numbers, which are no points of 5; is it cut off?"
        )
    raw = np.frombuffer(content, "<f4").reshape(-1, 5)
    if not np.isfinite(raw).all():
        raise ValueError(f"{path} holds numbers that are not finite.")
    moved = raw[:, :3].astype(np.float64) @ to_ego[:3, :3].T + to_ego[:3, 3]
    return np.concatenate([moved, raw[:, 4:]], 1).astype(np.float32)


def boxes(tables: Tables, sample: Record, to_world: Array, grid: BEVGrid) -> NDArray[np.float32]:
    """(T, 8) as `labels.boxes`, of the classes that are scored, in the grid, with a LiDAR or radar return in them."""
    rows = []
    from_world = np.linalg.inv(to_world)
    for box in tables.annotations.get(sample["token"], []):
        instance = tables.get("instance", box["instance_token"])
        category = tables.get("category", instance["category_token"])["name"]
        name = next((c for prefix, c in _PREFIXES.items() if category.startswith(prefix)), None)
        if name is None or box["num_lidar_pts"] + box["num_radar_pts"] == 0:
            continue
        try:
            centre = from_world @ (*finite_numbers(box["translation"], 3, "a translation"), 1.0)
            looks = from_world[:3, :3] @ rotation(box["rotation"])[:, 0]
            width, length, height = finite_numbers(box["size"], 3, "a size")
            if min(width, length, height) <= 0:
                raise ValueError(f"a size is positive; got {box['size']}")
        except ValueError as error:
            raise ValueError(
                f"{tables.folder}/sample_annotation.json, record {box['token']!r}: {error}"
            ) from error
        yaw = np.arctan2(looks[1], looks[0])
        if grid.x[0] <= centre[0] < grid.x[1] and grid.y[0] <= centre[1] < grid.y[1]:
            rows.append([CLASSES.index(name), *centre[:3], length, width, height, yaw])
    return np.array(rows, np.float32).reshape(-1, 8)
