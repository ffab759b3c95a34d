"""nuScenes' tables: JSON files of records that refer to one another by tokens.

Caesar et al., "nuScenes: A multimodal dataset for autonomous driving" (CVPR 2020); the schema is published with the
development kit. The set is given out on nuscenes.org for non-commercial use and does not ship.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from efficientlab.datasets.reading import text
from efficientlab.datasets.streets.solids import Array

Record = dict[str, Any]

MINI = {
    "mini_train": (
        "scene-0061", "scene-0553", "scene-0655", "scene-0757",
        "scene-0796", "scene-1077", "scene-1094", "scene-1100",
    ),
    "mini_val": ("scene-0103", "scene-0916"),
}  # fmt: skip
"""The official splits of v1.0-mini, by the scenes' names."""


_FIELDS = {
    "scene": ("name", "log_token", "first_sample_token", "description"),
    "log": ("location",),
    "sample": ("scene_token", "next"),
    "sample_data": ("sample_token", "ego_pose_token", "calibrated_sensor_token", "filename", "is_key_frame"),
    "sensor": ("channel",),
    "calibrated_sensor": ("sensor_token", "translation", "rotation", "camera_intrinsic"),
    "ego_pose": ("translation", "rotation"),
    "sample_annotation": (
        "sample_token", "instance_token", "translation", "size", "rotation", "num_lidar_pts", "num_radar_pts",
    ),
    "instance": ("category_token",),
    "category": ("name",),
}  # fmt: skip
"""What is read of each table."""


class Tables:
    """The tables in `root`/`version`, each read when it is first asked for.

    Raises:
        FileNotFoundError: there is no such folder, or a table that is asked for is missing.
        ValueError: a table is no list of records with tokens, or a token is not in it.
    """

    def __init__(self, root: Path | str, version: str) -> None:
        self.root = Path(root)
        self.folder = self.root / version
        if not self.folder.is_dir():
            raise FileNotFoundError(f"{self.folder} is not a folder; nuScenes' tables lie in ROOT/{version}.")
        self._read: dict[str, dict[str, Record]] = {}

    def table(self, name: str) -> dict[str, Record]:
        """All records of a table by their tokens."""
        if name not in self._read:
            path = self.folder / f"{name}.json"
            content = text(path, "nuScenes' table {} is missing.")
            try:
                rows = json.loads(content)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"nuScenes' table {path} is damaged: {error}.") from error
            if not isinstance(rows, list):
                raise ValueError(f"nuScenes' table {path} is damaged: it is no list of records.")
            self._read[name] = {}
            for row in rows:
                fields = ("token", *_FIELDS.get(name, ()))
                if not isinstance(row, dict) or (lacking := [key for key in fields if key not in row]):
                    what = f"lacks {', '.join(lacking)}" if isinstance(row, dict) else "is no record"
                    raise ValueError(f"nuScenes' table {path} is damaged: {str(row)[:60]} {what}.")
                if self._read[name].setdefault(row["token"], row) is not row:
                    raise ValueError(
                        f"nuScenes' table {path} is damaged: it has token {row['token']!r} twice."
                    )
        return self._read[name]

    def get(self, name: str, token: str) -> Record:
        try:
            return self.table(name)[token]
        except KeyError:
            raise ValueError(f"{self.folder / name}.json has no record {token!r}.") from None

    def samples(self, scenes: tuple[str, ...]) -> list[Record]:
        """The samples of the scenes with these names, in the order of the names and then of time."""
        by_name = {scene["name"]: scene for scene in self.table("scene").values()}
        found = []
        for name in scenes:
            if name not in by_name:
                raise ValueError(f"{self.folder}/scene.json has no scene called {name!r}.")
            token, chain = by_name[name]["first_sample_token"], set[str]()
            while token:
                if token in chain:
                    raise ValueError(
                        f"{self.folder}/sample.json: the samples of {name} lead round in a circle."
                    )
                chain.add(token)
                found.append(self.get("sample", token))
                token = found[-1]["next"]
        return found

    @cached_property
    def frames(self) -> dict[str, dict[str, Record]]:
        """For each sample's token the key frame of each sensor, by the name of its channel."""
        found: dict[str, dict[str, Record]] = {}
        for frame in self.table("sample_data").values():
            if frame["is_key_frame"]:
                mounted = self.get("calibrated_sensor", frame["calibrated_sensor_token"])
                channel = self.get("sensor", mounted["sensor_token"])["channel"]
                found.setdefault(frame["sample_token"], {})[channel] = frame
        return found

    @cached_property
    def annotations(self) -> dict[str, list[Record]]:
        """For each sample's token its annotated boxes."""
        found: dict[str, list[Record]] = {}
        for box in self.table("sample_annotation").values():
            found.setdefault(box["sample_token"], []).append(box)
        return found

    def frame(self, sample: Record, channel: str) -> Record:
        try:
            return self.frames[sample["token"]][channel]
        except KeyError:
            raise ValueError(
                f"{self.folder}/sample_data.json has no key frame of {channel} for sample {sample['token']!r}."
            ) from None

    def to_ego(self, frame: Record) -> Array:
        """(4, 4), from the frame of a sensor to that of the vehicle."""
        return self._pose("calibrated_sensor", frame["calibrated_sensor_token"])

    def to_world(self, frame: Record) -> Array:
        """(4, 4), from the frame of the vehicle, when the sensor measured, to that of the map."""
        return self._pose("ego_pose", frame["ego_pose_token"])

    def _pose(self, name: str, token: str) -> Array:
        try:
            return pose(self.get(name, token))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.folder / name}.json, record {token!r}: {error}") from error

    def file(self, frame: Record) -> Path:
        path = self.root / frame["filename"]
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing; {self.folder}/sample_data.json refers to it.")
        return path


def pose(record: Record) -> Array:
    """(4, 4) of a record's rotation, a quaternion w, x, y, z, and translation in metres."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(record["rotation"])
    matrix[:3, 3] = finite_numbers(record["translation"], 3, "a translation")
    return matrix


def finite_numbers(values: object, count: int, what: str) -> Array:
    """
    Raises:
        ValueError: they are not so many, or not finite numbers.
    """
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ValueError(f"{what} has {count} finite numbers; got {values}")
    return numbers


def rotation(quaternion: list[float]) -> Array:
    """(3, 3) of a quaternion w, x, y, z, which need not be of unit length.

    Raises:
        ValueError: it has no length, or numbers that are not finite.
    """
    q = np.asarray(quaternion, np.float64)
    length = np.linalg.norm(q)
    if q.shape != (4,) or not 0 < length < np.inf:
        raise ValueError(f"a rotation is a quaternion w, x, y, z; got {quaternion}")
    w, v = q[0] / length, q[1:] / length
    cross = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + 2 * w * cross + 2 * cross @ cross
