"""SemanticKITTI, written in its published format and read back."""

import numpy as np
import pytest
import torch

from efficientlab.datasets.points.clouds import IGNORED
from efficientlab.datasets.streets.semantickitti import CLASSES, LEARNING_MAP, SemanticKITTI


def write(root, sequence: int, number: int, raw: list[int]) -> np.ndarray:
    """One scan with these labels in the files; the upper halves, the things' numbers, are to be dropped."""
    folder = root / "sequences" / f"{sequence:02}"
    (folder / "velodyne").mkdir(parents=True, exist_ok=True)
    (folder / "labels").mkdir(exist_ok=True)
    rng = np.random.default_rng(number)
    points = np.hstack([rng.normal(0, 20, (len(raw), 3)), rng.random((len(raw), 1))]).astype("<f4")
    points.tofile(folder / "velodyne" / f"{number:06}.bin")
    (np.array(raw, "<u4") + (np.arange(len(raw), dtype="<u4") << 16)).tofile(
        folder / "labels" / f"{number:06}.label"
    )
    return points


@pytest.fixture
def root(tmp_path):
    write(tmp_path, 0, 0, [10, 40, 252, 0, 99, 81])
    write(tmp_path, 0, 1, [30] * 9)
    write(tmp_path, 3, 0, [48, 49])
    write(tmp_path, 8, 0, [70, 71, 72])
    return tmp_path


def test_a_scan_is_read_whole_with_the_published_classes(root):
    points, label = SemanticKITTI(root, "train").scan(0)
    assert points.tobytes() == (root / "sequences/00/velodyne/000000.bin").read_bytes()
    car, road, sign = (CLASSES.index(name) for name in ("car", "road", "traffic-sign"))
    assert label.tolist() == [car, road, car, IGNORED, IGNORED, sign]  # a moving car is a car


def test_the_learning_map_has_its_published_numbers():
    assert len(CLASSES) == 19
    assert sorted(set(LEARNING_MAP.values())) == list(range(20))
    assert LEARNING_MAP[60] == LEARNING_MAP[40]  # lane markings are road
    assert {LEARNING_MAP[raw] for raw in (13, 16, 20, 256, 257, 259)} == {CLASSES.index("other-vehicle") + 1}


def test_splits_are_those_that_are_published(root):
    assert len(SemanticKITTI(root, "train")) == 3  # sequences 00 and 03
    assert len(SemanticKITTI(root, "val")) == 1
    with pytest.raises(ValueError, match="split must be one of train, val; got 'test'"):
        SemanticKITTI(root, "test")


def test_a_batch_draws_points_by_the_seed(root):
    drives = SemanticKITTI(root, "train", points=4)
    batch = drives[torch.tensor([0, 1])]
    assert batch.points.shape == (2, 3, 4)
    assert batch.features.shape == (2, 4, 4)
    assert len(drives[0:3]) == 3
    again, other = SemanticKITTI(root, "train", points=4), SemanticKITTI(root, "train", points=4, seed=1)
    assert torch.equal(batch.points, again[:2].points)
    assert not torch.equal(batch.points, other[:2].points)
    points, label = drives.scan(0)
    rows = {tuple(row): kind for row, kind in zip(points.tolist(), label.tolist(), strict=True)}
    drawn = batch.features[0].T.tolist()
    assert [rows[tuple(row)] for row in drawn] == batch.part[0].tolist()
    assert len({tuple(row) for row in drawn}) == 4


def test_points_come_twice_only_where_there_are_too_few(root):
    _, counts = SemanticKITTI(root, "train", points=20)[1:2].features[0].unique(dim=1, return_counts=True)
    assert sorted(counts.tolist()) == [2] * 7 + [3] * 2


def test_a_network_learns_from_it_and_unlabelled_points_teach_nothing(root):
    batch = SemanticKITTI(root, "train", points=6)[0:1]
    logits = torch.randn(1, 19, 6, requires_grad=True)
    torch.nn.functional.cross_entropy(logits, batch.part).backward()
    silent = batch.part[0] == IGNORED
    assert silent.sum() == 2
    assert not logits.grad[0, :, silent].any()
    assert logits.grad[0, :, ~silent].any(0).all()


def test_folders_and_files_that_are_wrong_are_named(root, tmp_path_factory):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere/sequences; unpack"):
        SemanticKITTI(root / "nowhere", "train")
    empty = tmp_path_factory.mktemp("empty")
    (empty / "sequences" / "01").mkdir(parents=True)
    with pytest.raises(
        FileNotFoundError, match=r"holds no scan of train: no velodyne/\*\.bin in any of 00, 01"
    ):
        SemanticKITTI(empty, "train")
    with pytest.raises(ValueError, match="points must be positive, got 0"):
        SemanticKITTI(root, "train", points=0)
    file = root / "sequences/00/velodyne/000001.bin"
    whole = file.read_bytes()
    file.write_bytes(whole[:-5])
    with pytest.raises(ValueError, match=r"000001\.bin has 139 bytes; points have 16 each: was it cut off"):
        SemanticKITTI(root, "train")[1:2]
    file.write_bytes(whole[:-16])
    with pytest.raises(ValueError, match=r"000001\.label has 36 bytes for 8 points; a label has 4"):
        SemanticKITTI(root, "train")[1:2]
    file.write_bytes(b"")
    with pytest.raises(ValueError, match=r"000001\.bin has 0 bytes"):
        SemanticKITTI(root, "train")[1:2]
    file.write_bytes(np.full((9, 4), np.nan, "<f4").tobytes())
    with pytest.raises(ValueError, match=r"000001\.bin holds numbers that are not finite"):
        SemanticKITTI(root, "train")[1:2]
    write(root, 0, 1, [30, 77])
    with pytest.raises(ValueError, match=r"000001\.label holds label 77, which is not in the published map"):
        SemanticKITTI(root, "train")[1:2]
    (root / "sequences/00/labels/000001.label").unlink()
    with pytest.raises(FileNotFoundError, match=r"000001\.label is missing; the labels are an archive"):
        SemanticKITTI(root, "train")


def test_hidden_files_are_no_scans_and_points_are_whole(root):
    (root / "sequences/00/velodyne/._000000.bin").write_bytes(b"made by a system")
    assert len(SemanticKITTI(root, "train")) == 3
    with pytest.raises(TypeError, match=r"points must be a whole number, got 4\.5"):
        SemanticKITTI(root, "train", points=4.5)
    with pytest.raises(ValueError, match=r"the index slice\(5, None, None\) chooses none of 3 scans"):
        SemanticKITTI(root, "train")[5:]


def test_remission_of_another_scale_is_named(root):
    file = root / "sequences/08/velodyne/000000.bin"
    points = np.fromfile(file, "<f4").reshape(-1, 4)
    points[:, 3] *= 255
    points.tofile(file)
    with pytest.raises(ValueError, match=r"000000\.bin: remission must be 0 to 1, got"):
        SemanticKITTI(root, "val")[0]
