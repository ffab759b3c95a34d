"""ShapeNet-Part, ModelNet40 and S3DIS, written in their published formats and read back."""

import json

import numpy as np
import pytest
import torch

from efficientlab.datasets.points.folders import (
    S3DIS_CLASSES,
    SHAPENET_PARTS,
    modelnet40,
    s3dis,
    shapenet_part,
)

rng = np.random.default_rng(0)


def cloud(n: int, *labels: int) -> np.ndarray:
    """n lines of x y z nx ny nz label, far from the origin."""
    x = rng.normal(5, 2, (n, 3))
    normal = rng.normal(size=(n, 3))
    return np.hstack([x, normal, rng.choice(labels, (n, 1))])


@pytest.fixture
def shapenet_root(tmp_path):
    base = tmp_path / "benchmark_v0_normal"
    (base / "train_test_split").mkdir(parents=True)
    (base / "synsetoffset2category.txt").write_text("Airplane\t02691156\nMug\t03797390\n")
    written = {
        "02691156/a1": cloud(40, 0, 1, 2, 3),
        "03797390/m1": cloud(7, 36, 37),
        "03797390/m2": cloud(30, 36, 37),
    }
    for name, table in written.items():
        file = base / f"{name}.txt"
        file.parent.mkdir(exist_ok=True)
        np.savetxt(file, table, fmt="%.6f")
    for split, names in {"train": ["02691156/a1", "03797390/m1"], "val": [], "test": ["03797390/m2"]}.items():
        file = base / "train_test_split" / f"shuffled_{split}_file_list.json"
        file.write_text(json.dumps([f"shape_data/{name}" for name in names]))
    return base, written


def test_shapenet_has_its_published_numbers():
    assert len(SHAPENET_PARTS.categories) == 16
    assert len(SHAPENET_PARTS.names) == 50
    first = {
        name: mask.nonzero()[0].item()
        for name, mask in zip(SHAPENET_PARTS.categories, SHAPENET_PARTS.mask(), strict=True)
    }
    assert (first["Car"], first["Lamp"], first["Motorbike"], first["Table"]) == (8, 24, 30, 47)


def test_shapenet_part(shapenet_root):
    base, written = shapenet_root
    clouds = shapenet_part(base, "train", points=40)
    assert clouds.points.shape == clouds.extra.shape == (2, 3, 40)
    assert clouds.category.tolist() == [0, SHAPENET_PARTS.categories.index("Mug")]
    assert SHAPENET_PARTS.mask()[clouds.category[:, None], clouds.part].all()
    assert torch.allclose(clouds.points.norm(dim=1).amax(1), torch.ones(2))
    table = written["02691156/a1"]
    centred = table[:, :3] - table[:, :3].mean(0)
    unit = np.hstack([centred / np.linalg.norm(centred, axis=1).max(), table[:, 3:]])
    got = torch.cat([clouds.features[0], clouds.part[0][None]]).T.numpy()
    np.testing.assert_allclose(got[got[:, 0].argsort()], unit[unit[:, 0].argsort()], atol=1e-4)


def test_points_come_twice_only_where_there_are_too_few(shapenet_root):
    base, _ = shapenet_root
    _, counts = shapenet_part(base, "train", points=15).extra[1].unique(dim=1, return_counts=True)
    assert sorted(counts.tolist()) == [2] * 6 + [3]
    _, counts = shapenet_part(base, "test", points=15).extra[0].unique(dim=1, return_counts=True)
    assert counts.tolist() == [1] * 15


def test_the_seed_draws_the_points(shapenet_root):
    base, _ = shapenet_root
    first, again, other = (shapenet_part(base, "test", points=10, seed=s) for s in (0, 0, 1))
    assert torch.equal(first.points, again.points)
    assert not torch.equal(first.extra, other.extra)


def test_shapenet_files_that_are_wrong_are_named(shapenet_root):
    base, _ = shapenet_root
    with pytest.raises(ValueError, match="split must be one of train, val, test; got 'dev'"):
        shapenet_part(base, "dev")
    (base / "03797390" / "m2.txt").write_text("1 2 3\n")
    with pytest.raises(ValueError, match=r"m2\.txt must hold lines of 7 numbers, got a table of \(1, 3\)"):
        shapenet_part(base, "test")
    (base / "03797390" / "m2.txt").write_text("1 2 3 4 5 x 7\n")
    with pytest.raises(ValueError, match=r"m2\.txt is not a table of numbers"):
        shapenet_part(base, "test")
    (base / "03797390" / "m2.txt").write_text("1 2 3 0 0 1 50\n0 0 0 0 0 1 3\n")
    with pytest.raises(ValueError, match="labels must be 0 to 49, got 3 to 50"):
        shapenet_part(base, "test")
    (base / "03797390" / "m2.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"m2\.txt is missing; was the archive unpacked"):
        shapenet_part(base, "test")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere; unpack"):
        shapenet_part(base / "nowhere", "test")


@pytest.fixture
def modelnet_root(tmp_path):
    base = tmp_path / "modelnet40_normal_resampled"
    base.mkdir()
    (base / "modelnet40_shape_names.txt").write_text("airplane\nnight_stand\n")
    (base / "modelnet40_train.txt").write_text("airplane_0001\nnight_stand_0002\n")
    (base / "modelnet40_test.txt").write_text("night_stand_0001\n")
    for name in ("airplane_0001", "night_stand_0001", "night_stand_0002"):
        folder = base / name.rpartition("_")[0]
        folder.mkdir(exist_ok=True)
        np.savetxt(folder / f"{name}.txt", cloud(30, 0)[:, :6], fmt="%.6f", delimiter=",")
    return base


def test_modelnet40(modelnet_root):
    clouds = modelnet40(modelnet_root, "train", points=20)
    assert clouds.points.shape == clouds.extra.shape == (2, 3, 20)
    assert clouds.category.tolist() == [0, 1]
    assert clouds.part.tolist() == [[0] * 20, [1] * 20]
    assert torch.allclose(clouds.points.norm(dim=1).amax(1), torch.ones(2))
    assert modelnet40(modelnet_root, "test", points=5).category.tolist() == [1]


def test_modelnet40_class_that_is_not_in_the_list(modelnet_root):
    (modelnet_root / "modelnet40_test.txt").write_text("nightstand_0001\n")
    with pytest.raises(ValueError, match=r"nightstand_0001: 'nightstand' is not in modelnet40_shape_names"):
        modelnet40(modelnet_root, "test")


@pytest.fixture
def s3dis_root(tmp_path):
    """One room of 2 m × 1 m: a floor of 400 points, a chair of 150 in one half, stairs of 20."""
    room = tmp_path / "Area_5" / "office_1" / "Annotations"
    room.mkdir(parents=True)

    def write(name: str, low: tuple[float, ...], high: tuple[float, ...], n: int, colour: int) -> None:
        x = np.add(rng.uniform(low, high, (n, 3)), (10, 20, 0))
        np.savetxt(room / f"{name}.txt", np.hstack([x, np.full((n, 3), colour)]), fmt="%.4f")

    write("floor_1", (0, 0, 0), (1.99, 0.99, 0), 400, 51)
    write("chair_1", (0, 0, 0.4), (0.9, 0.9, 1), 150, 255)
    write("stairs_1", (1.2, 0.2, 0.5), (1.8, 0.8, 0.6), 20, 0)
    return tmp_path


def test_s3dis_cuts_rooms_into_columns(s3dis_root):
    clouds = s3dis(s3dis_root, [5], points=600)
    assert clouds.points.shape == (2, 3, 600)
    assert clouds.extra.shape == (2, 6, 600)
    floor, chair, clutter = (S3DIS_CLASSES.index(name) for name in ("floor", "chair", "clutter"))
    assert clouds.part[0].unique().tolist() == [floor, chair]
    assert clouds.part[1].unique().tolist() == [floor, clutter]
    assert clouds.points[:, :2].abs().max() <= 0.5 + 1e-3  # metres from the middle of the column
    assert clouds.points[:, 2].aminmax().max.item() == pytest.approx(1, abs=0.02)
    assert clouds.extra[:, :3].unique().tolist() == pytest.approx([0.0, 0.2, 1.0])  # colours of 0, 51, 255
    assert clouds.extra[:, 3:].aminmax().min >= 0
    assert clouds.extra[0, 3].max() < 0.52  # the first column is the first half of the room
    assert clouds.extra[1, 3].min() > 0.48


def test_s3dis_leaves_out_thin_columns(s3dis_root):
    assert len(s3dis(s3dis_root, [5], points=10, block=3.0)) == 1
    with pytest.raises(ValueError, match=r"no column of 0\.2 m in areas \[5\] holds 100 points"):
        s3dis(s3dis_root, [5], points=10, block=0.2)


def test_s3dis_folders_that_are_missing_are_named(s3dis_root):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*Area_1"):
        s3dis(s3dis_root, [1])
    (s3dis_root / "Area_2").mkdir()
    with pytest.raises(FileNotFoundError, match=r"Area_2 holds no <room>/Annotations"):
        s3dis(s3dis_root, [2])
    with pytest.raises(ValueError, match="areas is empty"):
        s3dis(s3dis_root, [])


BROKEN = ["nan", "-inf", "1e39", "NaN"]


@pytest.mark.parametrize("number", BROKEN)
@pytest.mark.parametrize("column", [0, 4])
def test_numbers_that_are_not_finite_are_named(shapenet_root, modelnet_root, s3dis_root, number, column):
    places = {
        shapenet_root[0] / "03797390" / "m2.txt": (" ", 7, lambda: shapenet_part(shapenet_root[0], "test")),
        modelnet_root / "night_stand" / "night_stand_0001.txt": (
            ",",
            6,
            lambda: modelnet40(modelnet_root, "test"),
        ),
        next(s3dis_root.glob("Area_5/*/Annotations/*.txt")): (" ", 6, lambda: s3dis(s3dis_root, [5])),
    }
    for file, (delimiter, columns, read) in places.items():
        good = delimiter.join(["1"] * columns)
        bad = delimiter.join(number if k == column else "1" for k in range(columns))
        file.write_text(f"{good}\n\n{bad}\n")
        with pytest.raises(ValueError, match=rf"{file.name} is not a table.*line 2 .*column {column + 1}"):
            read()


def test_what_a_system_left_there_is_not_read(s3dis_root):
    before = s3dis(s3dis_root, [5], points=50)
    annotations = next(s3dis_root.glob("Area_5/*/Annotations"))
    (annotations / "._ceiling_1.txt").write_bytes(b"\x00\x05\x16\x07\xb0")
    (annotations / ".ipynb_checkpoints").mkdir()
    hidden = annotations.parents[1] / ".ipynb_checkpoints" / "Annotations"
    hidden.mkdir(parents=True)
    (hidden / "wall_1.txt").write_text("1 2 3 4 5 6\n" * 200)
    after = s3dis(s3dis_root, [5], points=50)
    assert torch.equal(before.points, after.points)


def test_lists_of_another_form_are_named(shapenet_root, modelnet_root):
    base, _ = shapenet_root
    listing = base / "train_test_split" / "shuffled_test_file_list.json"
    expected = shapenet_part(base, "test", points=20)
    listing.write_bytes(b"\xef\xbb\xbf" + json.dumps(["shape_data\\03797390\\m2"]).encode())  # Windows
    (base / "synsetoffset2category.txt").write_bytes(b"\xef\xbb\xbfAirplane 02691156\r\nMug 03797390\r\n")
    assert torch.equal(shapenet_part(base, "test", points=20).points, expected.points)
    for content, reason in {
        "[]": "is empty", "{}": "expected a JSON list, got dict", "[": "is not JSON", "[3]": "got 3",
        '["m2"]': "expected shape_data/<synset>/<object>", "": "is not JSON", "null": "got NoneType",
    }.items():  # fmt: skip
        listing.write_text(content)
        with pytest.raises(ValueError, match=rf"shuffled_test_file_list\.json.*{reason}"):
            shapenet_part(base, "test")
    (base / "synsetoffset2category.txt").write_text("Teapot\t03797390\n")
    with pytest.raises(ValueError, match=r"synsetoffset2category\.txt: expected a category.*Teapot"):
        shapenet_part(base, "test")
    names = modelnet_root / "modelnet40_shape_names.txt"
    names.write_bytes(b"\xef\xbb\xbf" + names.read_bytes())
    assert modelnet40(modelnet_root, "train", points=5).category.tolist() == [0, 1]
    (modelnet_root / "modelnet40_test.txt").write_text("\n")
    with pytest.raises(ValueError, match=r"modelnet40_test\.txt is empty"):
        modelnet40(modelnet_root, "test")
    names.write_bytes("Möbel\n".encode("latin-1"))
    with pytest.raises(
        ValueError, match=r"modelnet40_shape_names\.txt is not UTF-8 text \(byte 0xf6 at position 1\)"
    ):
        modelnet40(modelnet_root, "train")


def test_arguments_of_another_form_are_named(shapenet_root, s3dis_root):
    base, _ = shapenet_root
    with pytest.raises(ValueError, match="points must be positive, got 0"):
        shapenet_part(base, "test", points=0)
    with pytest.raises(ValueError, match="block must be positive, got 0"):
        s3dis(s3dis_root, [5], block=0)
    with pytest.raises(ValueError, match=r"areas must be a list of numbers .*got 5"):
        s3dis(s3dis_root, 5)
    (base / "03797390" / "m2.txt").write_text("1 2 3 0 0 1 2.7\n0 0 0 0 0 1 3\n")
    with pytest.raises(ValueError, match=r"labels must be whole numbers, got 2\.7"):
        shapenet_part(base, "test")


def modelnet_of(root, rows, names="chair\n"):
    (root / "chair").mkdir(parents=True)
    (root / "modelnet40_shape_names.txt").write_text(names)
    (root / "modelnet40_train.txt").write_text("chair_0001\n")
    (root / "chair" / "chair_0001.txt").write_text("".join(f"{x:.10g},0,0,0,0,1\n" for x in rows))
    return root


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20, 3e38])
def test_clouds_of_any_scale_fill_the_unit_ball(tmp_path, scale):
    clouds = modelnet40(modelnet_of(tmp_path, [-scale, 0, scale / 2]), "train", points=3)
    assert sorted(clouds.points[0, 0].tolist()) == pytest.approx([-1, 1 / 5, 4 / 5], abs=1e-6)


def test_a_survey_s_coordinates_keep_their_millimetres(tmp_path, s3dis_root):
    """float32 counts five million metres in steps of half a metre."""
    clouds = modelnet40(modelnet_of(tmp_path / "m", 5e6 + np.arange(100) / 100), "train", points=100)
    assert len(np.unique(clouds.points[0, 0])) == 100
    file = s3dis_root / "Area_5/office_1/Annotations/floor_1.txt"
    table = np.loadtxt(file)
    for other in file.parent.glob("*.txt"):
        moved = np.loadtxt(other)
        moved[:, :2] += 5e6
        np.savetxt(other, moved, fmt="%.4f")
    points = torch.cat(list(s3dis(s3dis_root, [5], points=600).points), 1)
    assert len(np.unique(points[0])) > 0.4 * len(np.unique(table[:, 0]))


def test_labels_colours_and_names_that_cannot_be(shapenet_root, s3dis_root, tmp_path):
    base, _ = shapenet_root
    np.savetxt(base / "03797390/m2.txt", cloud(5, 7), fmt="%.6f")
    with pytest.raises(ValueError, match=r"m2\.txt: label 7 is no part of category Mug"):
        shapenet_part(base, "test")
    floor = s3dis_root / "Area_5/office_1/Annotations/floor_1.txt"
    np.savetxt(floor, np.hstack([rng.random((200, 3)), np.full((200, 3), 300)]))
    with pytest.raises(ValueError, match=r"floor_1\.txt: colours must be 0 to 255, got 300 to 300"):
        s3dis(s3dis_root, [5])
    with pytest.raises(ValueError, match=r"shape_names\.txt lists 'chair' twice"):
        modelnet40(modelnet_of(tmp_path / "m", [0, 1], "chair\nchair\n"), "train")


def test_numbers_of_points_and_areas_are_whole(s3dis_root):
    with pytest.raises(TypeError, match=r"points must be a whole number, got 4\.5"):
        s3dis(s3dis_root, [5], points=4.5)
    with pytest.raises(ValueError, match=r"areas must be a list .*got '5'"):
        s3dis(s3dis_root, "5")
    with pytest.raises(ValueError, match="not name one twice"):
        s3dis(s3dis_root, [5, 5])
    assert len(s3dis(s3dis_root, np.array([5]), points=10)) == 2


@pytest.mark.parametrize("name", ["Chair_1.txt", "CHAIR_2.TXT", "chair.txt"])
def test_a_class_is_known_by_its_name_however_it_is_written(tmp_path, name):
    annotations = tmp_path / "Area_5" / "office_1" / "Annotations"
    annotations.mkdir(parents=True)
    np.savetxt(annotations / name, rng.random((150, 6)))
    assert s3dis(tmp_path, [5], points=50).part.unique().tolist() == [S3DIS_CLASSES.index("chair")]
