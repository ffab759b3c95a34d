"""nuScenes' published format, on a made-up root: frames, files and maps, and what is said of a broken one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from efficientlab.datasets.streets.nuscenes import CHANNELS, CLASSES, nuscenes_views
from efficientlab.datasets.streets.nuscenes_map import MAPS, distance_to, inside
from efficientlab.datasets.streets.nuscenes_tables import MINI, pose, rotation
from efficientlab.kernels import BEVGrid

GRID = BEVGrid((-8.0, 8.0, 1.0), (-8.0, 8.0, 1.0), (-4.0, 4.0))
QUARTER = [0.5**0.5, 0.0, 0.0, 0.5**0.5]  # a quarter about z, counterclockwise
LOOKS_AHEAD = [0.5, -0.5, 0.5, -0.5]  # camera axes (right, down, ahead) to the vehicle's (ahead, left, up)


def square(name: str, x: float, y: float, half: float) -> list[dict[str, Any]]:
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return [{"token": f"{name}{k}", "x": x + half * i, "y": y + half * j} for k, (i, j) in enumerate(corners)]


def tokens(nodes: list[dict[str, Any]]) -> list[str]:
    return [node["token"] for node in nodes]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two samples of one scene. The vehicle stands at (100, 50) and looks along the map's y; then it drove 1 m."""
    frames, calibrated = [], []
    for k, channel in enumerate(("LIDAR_TOP", *CHANNELS)):
        is_lidar = channel == "LIDAR_TOP"
        calibrated.append(
            {
                "token": f"c{channel}",
                "sensor_token": f"s{channel}",
                "translation": [1.0, 0.0, 2.0] if is_lidar else [1.5, 0.1 * k, 1.5],
                "rotation": QUARTER if is_lidar else LOOKS_AHEAD,
                "camera_intrinsic": [] if is_lidar else [[100.0, 0, 80 + k], [0, 100.0, 45], [0, 0, 1]],
            }
        )
        for s in (0, 1):
            suffix = "pcd.bin" if is_lidar else "png"
            frames.append(
                {
                    "token": f"f{channel}{s}",
                    "sample_token": f"sample{s}",
                    "ego_pose_token": f"e{s}" if is_lidar else f"e{s}later",
                    "calibrated_sensor_token": f"c{channel}",
                    "filename": f"samples/{channel}/{s}.{suffix}",
                    "is_key_frame": True,
                }
            )
            path = tmp_path / "samples" / channel / f"{s}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if is_lidar:
                np.array([[3.0, 0.0, -1.0, 9.0, 5], [0.0, 3.0, 0.0, 9.0, 7]], np.float32).tofile(path)
            else:
                pixels = np.full((90, 160, 3), 30 * k, np.uint8)
                pixels[45:] = 200
                Image.fromarray(pixels).save(path)
    frames.append({**frames[0], "token": "sweep", "is_key_frame": False, "filename": "sweeps/none.bin"})
    poses = [
        {
            "token": f"e{s}{late}",
            "translation": [100.0, 50.0 + 5 * s + (1.0 if late else 0.0), 0.0],
            "rotation": QUARTER,
        }
        for s in (0, 1)
        for late in ("", "later")
    ]
    box = {
        "sample_token": "sample0", "size": [1.8, 4.5, 1.6], "rotation": QUARTER,
        "num_lidar_pts": 3, "num_radar_pts": 0,
    }  # fmt: skip
    annotations = [
        {**box, "token": "a0", "instance_token": "i0", "translation": [98.0, 54.0, 0.8]},
        {**box, "token": "a1", "instance_token": "i1", "translation": [100.0, 52.0, 0.9], "num_lidar_pts": 0},
        {**box, "token": "a2", "instance_token": "i2", "translation": [100.0, 52.0, 0.9]},
        {**box, "token": "a3", "instance_token": "i0", "translation": [100.0, 90.0, 0.8]},
    ]
    written = {
        "scene": [{"token": "sc", "name": "scene-0061", "log_token": "log", "first_sample_token": "sample0",
                   "description": "Night, parked cars"}],
        "log": [{"token": "log", "location": "made-up"}],
        "sample": [{"token": "sample0", "scene_token": "sc", "next": "sample1"},
                   {"token": "sample1", "scene_token": "sc", "next": ""}],
        "sensor": [{"token": f"s{c}", "channel": c} for c in ("LIDAR_TOP", *CHANNELS)],
        "calibrated_sensor": calibrated,
        "sample_data": frames,
        "ego_pose": poses,
        "sample_annotation": annotations,
        "instance": [{"token": f"i{k}", "category_token": f"k{k}"} for k in range(3)],
        "category": [{"token": "k0", "name": "vehicle.car"}, {"token": "k1", "name": "human.pedestrian.adult"},
                     {"token": "k2", "name": "animal"}],
    }  # fmt: skip
    (tmp_path / "v1.0-mini").mkdir()
    for name, table in written.items():
        (tmp_path / "v1.0-mini" / f"{name}.json").write_text(json.dumps(table))
    road, island, crossing = square("r", 100, 50, 6), square("h", 97, 50, 1), square("x", 100, 53, 1)
    line = [{"token": "l0", "x": 104.5, "y": 40.0}, {"token": "l1", "x": 104.5, "y": 60.0}]
    expansion = {
        "node": [*road, *island, *crossing, *line],
        "line": [{"token": "line", "node_tokens": ["l0", "l1"]}],
        "polygon": [
            {"token": "road", "exterior_node_tokens": tokens(road), "holes": [{"node_tokens": tokens(island)}]},
            {"token": "crossing", "exterior_node_tokens": tokens(crossing), "holes": []},
        ],
        "drivable_area": [{"token": "d", "polygon_tokens": ["road"]}],
        "ped_crossing": [{"token": "p", "polygon_token": "crossing"}],
        "walkway": [], "stop_line": [], "carpark_area": [], "lane_divider": [],
        "road_divider": [{"token": "v", "line_token": "line"}],
    }  # fmt: skip
    (tmp_path / "maps" / "expansion").mkdir(parents=True)
    (tmp_path / "maps" / "expansion" / "made-up.json").write_text(json.dumps(expansion))
    return tmp_path


def read(root: Path) -> Any:
    return nuscenes_views(root, ("scene-0061",), size=(32, 80), grid=GRID)


def test_samples_in_order_with_everything_in_the_vehicles_frame(root: Path) -> None:
    views = read(root)
    assert len(views) == 2
    assert views.image.shape == (2, 6, 3, 32, 80)
    assert views.night.tolist() == [True, True]
    assert views.points.sizes.tolist() == [2, 2]
    # The LiDAR is turned by a quarter on the vehicle: its x is the vehicle's left.
    assert views.points.rows[0].tolist() == pytest.approx([1.0, 3.0, 1.0, 5.0], abs=1e-5)
    assert views.points.rows[1].tolist() == pytest.approx([-2.0, 0.0, 2.0, 7.0], abs=1e-5)
    assert views.depth.isnan().all()


def test_cameras_stand_where_the_vehicle_was_when_they_fired(root: Path) -> None:
    """A metre later than the LiDAR: so a metre further ahead."""
    views = read(root)
    assert views.to_rig[0, 0, :3, 3].tolist() == pytest.approx([2.5, 0.1, 1.5], abs=1e-4)
    assert views.to_rig[0, 0, :3, 2].tolist() == pytest.approx([1, 0, 0], abs=1e-5)  # looks ahead
    assert views.to_rig[0, 0, :3, 0].tolist() == pytest.approx([0, -1, 0], abs=1e-5)  # its right is the right
    assert views.intrinsics[0, 2, 0].tolist() == [100.0, 0.0, 83.0]


def test_boxes_of_scored_classes_with_returns_inside_the_grid(root: Path) -> None:
    boxes = read(root).boxes
    assert boxes.sizes.tolist() == [1, 0]
    kind, x, y, z, length, width, height, yaw = boxes.rows[0].tolist()
    assert CLASSES[int(kind)] == "car"
    assert (x, y, z) == pytest.approx((4.0, 2.0, 0.8), abs=1e-4)  # 4 m on along the map's y, 2 m to the left
    assert (length, width, height) == pytest.approx((4.5, 1.8, 1.6))
    assert yaw == pytest.approx(0.0, abs=1e-5)


def test_pictures_are_scaled_and_cut_off_at_the_top(root: Path) -> None:
    views = read(root)
    assert views.image[0, 0, 0, :, 40].tolist() == pytest.approx([30] * 9 + [115] + [200] * 22, abs=20)
    seen = views.augment[0, 0] @ torch.tensor([79.5, 89.5, 1.0])  # the middle of the lower edge's pixels
    assert seen.tolist() == pytest.approx([39.5, 31.5, 1.0], abs=1e-4)


def test_the_map_is_drawn_around_the_vehicle_x_first(root: Path) -> None:
    first = read(root).map[0]
    drivable, crossing, divider = (first[MAPS.index(k)] for k in ("drivable_area", "ped_crossing", "divider"))

    def cell(x: float, y: float) -> tuple[int, int]:
        return int(x + 8), int(y + 8)

    assert drivable[cell(0.5, 0.5)]
    assert not drivable[cell(7.5, 0.5)]
    assert not drivable[cell(0.5, 2.6)]  # the island, 3 m to the left
    assert crossing.nonzero().tolist() == [[10, 7], [10, 8], [11, 7], [11, 8]]  # 2 to 4 m ahead
    assert divider[:, 3].all()  # 4.5 m to the right
    assert divider.sum() == 16


def test_the_official_mini_split() -> None:
    assert len(MINI["mini_train"]) == 8
    assert not set(MINI["mini_train"]) & set(MINI["mini_val"])


def test_polygons_with_holes_and_distances_to_lines() -> None:
    outline = np.array([[0.0, 0], [4, 0], [4, 4], [2, 1], [0, 4]])
    hole = np.array([[0.5, 0.2], [1.0, 0.2], [1.0, 0.7], [0.5, 0.7]])
    points = np.array([[0.2, 2.0], [2.0, 2.0], [0.7, 0.5], [3.5, 2.0], [-1.0, 1.0]])
    assert inside([outline, hole], points).tolist() == [True, False, False, True, False]
    line = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]])
    assert distance_to(line, np.array([[1.0, 1.0], [-3.0, 4.0], [5.0, 1.0]])) == pytest.approx(
        [1.0, 5.0, 3.0]
    )


def test_rotations() -> None:
    assert rotation(QUARTER) @ (1, 0, 0) == pytest.approx([0, 1, 0])
    assert rotation([2 * q for q in QUARTER]) @ (0, 1, 0) == pytest.approx([-1, 0, 0])
    assert pose({"rotation": [1, 0, 0, 0], "translation": [1, 2, 3]})[:, 3] == pytest.approx([1, 2, 3, 1])
    with pytest.raises(ValueError, match="a rotation is a quaternion"):
        rotation([0.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize("name", ["ego_pose", "sample_annotation", "calibrated_sensor"])
def test_a_missing_table_is_named(root: Path, name: str) -> None:
    (root / "v1.0-mini" / f"{name}.json").unlink()
    with pytest.raises(FileNotFoundError, match=rf"table .*{name}\.json is missing"):
        read(root)


def test_missing_and_damaged_files_are_named(root: Path) -> None:
    picture = root / "samples" / "CAM_BACK" / "1.png"
    kept = picture.read_bytes()
    picture.unlink()
    with pytest.raises(FileNotFoundError, match=r"CAM_BACK/1\.png is missing"):
        read(root)
    picture.write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"CAM_BACK/1\.png is not a picture"):
        read(root)
    picture.write_bytes(kept)
    sweep = root / "samples" / "LIDAR_TOP" / "0.pcd.bin"
    sweep.write_bytes(sweep.read_bytes()[:-8])
    with pytest.raises(
        ValueError, match=r"0\.pcd\.bin holds 8 numbers, which are no points of 5; is it cut off"
    ):
        read(root)


def test_damaged_tables_and_unknown_scenes_are_named(root: Path) -> None:
    with pytest.raises(ValueError, match="no scene called 'scene-0103'"):
        nuscenes_views(root, "mini_val")
    with pytest.raises(FileNotFoundError, match=r"v1\.0-trainval is not a folder"):
        nuscenes_views(root, "scene-0061", version="v1.0-trainval")
    table = root / "v1.0-mini" / "calibrated_sensor.json"
    rows = json.loads(table.read_text())
    rows[1]["camera_intrinsic"] = []
    table.write_text(json.dumps(rows))
    with pytest.raises(ValueError, match="no intrinsics of CAM_FRONT"):
        read(root)
    table.write_text("[{]")
    with pytest.raises(ValueError, match=r"calibrated_sensor\.json is damaged"):
        read(root)


def test_a_missing_map_or_token_is_named(root: Path) -> None:
    sensor = root / "v1.0-mini" / "instance.json"
    sensor.write_text("[]")
    with pytest.raises(ValueError, match=r"instance\.json has no record 'i0'"):
        read(root)
    (root / "maps" / "expansion" / "made-up.json").write_text("{}")
    with pytest.raises(ValueError, match=r"made-up\.json is not a map"):
        read(root)
    (root / "maps" / "expansion" / "made-up.json").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"made-up\.json is missing; it is in nuScenes' map expansion"
    ):
        read(root)


def edit(root: Path, name: str, change: Any) -> None:
    file = root / "v1.0-mini" / f"{name}.json"
    rows = json.loads(file.read_text())
    change(rows)
    file.write_text(json.dumps(rows))


def test_a_sweep_is_whole_and_finite(root: Path) -> None:
    sweep = root / "samples" / "LIDAR_TOP" / "0.pcd.bin"
    kept = sweep.read_bytes()
    for content, reason in (
        (kept + b"ab", "holds 10.5 numbers"),
        (b"", "holds 0 numbers"),
        (np.full((2, 5), np.nan, np.float32).tobytes(), "numbers that are not finite"),
    ):
        sweep.write_bytes(content)
        with pytest.raises(ValueError, match=rf"0\.pcd\.bin {reason}|0\.pcd\.bin holds {reason}"):
            read(root)


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ("scene", "name"), ("scene", "description"), ("log", "location"), ("sample", "next"), ("sensor", "channel"),
        ("sample_data", "is_key_frame"), ("sample_data", "filename"), ("calibrated_sensor", "camera_intrinsic"),
        ("calibrated_sensor", "rotation"), ("ego_pose", "translation"), ("sample_annotation", "size"),
        ("sample_annotation", "num_lidar_pts"), ("instance", "category_token"), ("category", "name"),
    ],
)  # fmt: skip
def test_a_record_without_a_field_is_named(root: Path, table: str, field: str) -> None:
    edit(root, table, lambda rows: rows[-1].pop(field))
    with pytest.raises(ValueError, match=rf"{table}\.json is damaged: .* lacks {field}"):
        read(root)


@pytest.mark.parametrize(
    ("table", "field", "value"),
    [
        ("ego_pose", "translation", [float("nan"), 0, 0]),
        ("ego_pose", "translation", [1, 2]),
        ("ego_pose", "translation", "abc"),
        ("ego_pose", "rotation", [float("inf"), 0, 0, 0]),
        ("calibrated_sensor", "rotation", [float("nan"), 0, 0, 0]),
        ("calibrated_sensor", "camera_intrinsic", [[float("nan")] * 3] * 3),
        ("sample_annotation", "size", [float("nan"), 1, 1]),
        ("sample_annotation", "size", [-1, 1, 1]),
        ("sample_annotation", "translation", [1, 2]),
    ],
)
def test_numbers_that_cannot_be_are_named(root: Path, table: str, field: str, value: Any) -> None:
    edit(root, table, lambda rows: [row.update({field: value}) for row in rows])
    with pytest.raises(ValueError, match=rf"{table}\.json"):
        read(root)


def test_tables_that_lead_round_in_a_circle_or_have_a_token_twice(root: Path) -> None:
    edit(root, "sample", lambda rows: rows[1].update(next="sample0"))
    with pytest.raises(ValueError, match=r"sample\.json: the samples of scene-0061 lead round in a circle"):
        read(root)
    edit(root, "scene", lambda rows: rows.append({**rows[0], "name": "scene-9999"}))
    with pytest.raises(ValueError, match=r"scene\.json is damaged: it has token 'sc' twice"):
        read(root)


def test_tables_and_maps_of_other_encodings(root: Path) -> None:
    for file in (root / "v1.0-mini" / "scene.json", root / "maps" / "expansion" / "made-up.json"):
        kept = file.read_bytes()
        file.write_bytes(b"\xef\xbb\xbf" + kept)  # a byte order mark
        assert len(read(root)) == 2
        file.write_bytes(kept.replace(b'"token"', b'"\xe4"', 1))
        with pytest.raises(ValueError, match=rf"{file.name} is not UTF-8 text"):
            read(root)
        file.write_bytes(kept)
    city = root / "maps" / "expansion" / "made-up.json"
    tables = json.loads(city.read_text())
    for x in (float("nan"), "east"):
        tables["node"][0]["x"] = x
        city.write_text(json.dumps(tables))
        with pytest.raises(ValueError, match=r"made-up\.json is not a map"):
            read(root)


def test_pictures_are_read_as_they_are_meant(root: Path) -> None:
    ramp = np.linspace(0, 65535, 160 * 90).reshape(90, 160).astype(np.uint16)
    Image.fromarray(ramp).save(root / "samples" / "CAM_FRONT" / "0.png")
    image = read(root).image[0, 0].float()
    assert 100 < image.mean() < 220  # the lower rows of the ramp, and not all white
    assert (image == 255).float().mean() < 0.05


def test_arguments_get_a_sentence(root: Path) -> None:
    with pytest.raises(ValueError, match="scenes is empty"):
        nuscenes_views(root, ())
    for size, kind in (((32, 80.5), TypeError), ((0, 80), ValueError)):
        with pytest.raises(kind, match="size must be"):
            nuscenes_views(root, "scene-0061", size=size, grid=GRID)
